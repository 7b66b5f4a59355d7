"""Benchmarks: ratios against a limit measured in the same run, so that machines compare.

`make bench` runs all of them on embedded servers and writes `bench/results.json`.
"""
