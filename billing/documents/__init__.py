"""Invoices and credit notes as files: the page to read (PDF), and the data in it (EN 16931).

Owns what stands in them, how it is set, and the only imports of Typst and drafthorse. It reads and
never writes; who may have a file, and under which address, is none of its business.
"""
