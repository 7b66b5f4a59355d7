// The plan's form with scripts: only what the chosen price takes is shown, rows come and go, and
// what the plan costs is told as one types. Nothing is reckoned here: the server does.
{
  const form = document.getElementById("plan_form");
  const panel = document.querySelector("[data-preview]");

  // Without scripts all is shown. What is hidden is not sent, so that it cannot be meant.
  function fit(price) {
    const model = price.querySelector("select[name$='-model']").value;
    for (const part of price.querySelectorAll("[data-models]")) {
      const fits = part.dataset.models.split(" ").includes(model);
      const isField = part.matches("input");
      (isField ? part.closest(".group") : part).hidden = !fits;
      const inputs = isField ? [part] : part.querySelectorAll("input:not([type=hidden])");
      for (const input of inputs) input.disabled = !fits;
    }
  }

  const rowsOf = (rows) =>
    [...rows.querySelectorAll("[data-row]")].filter((row) => row.closest("[data-rows]") === rows);
  const own = (rows, selector) =>
    [...rows.querySelectorAll(selector)].find((found) => found.closest("[data-rows]") === rows);
  const total = (rows) => form.elements[`${rows.dataset.rows}-TOTAL_FORMS`];

  // The tick that says that a row is removed; within a component, its tiers have theirs.
  const tick = (row) =>
    [...row.querySelectorAll("[name$='-DELETE']")].find(
      (box) => box.closest("[data-row]") === row,
    );

  // The blank rows are for those without scripts; tiers of which none is filled in keep them.
  function dropBlanks(rows) {
    const all = rowsOf(rows);
    const isOfTiers = "models" in rows.dataset;
    if (isOfTiers && all.every((row) => "blank" in row.dataset)) return;
    while (all.length > 0 && "blank" in all.at(-1).dataset) {
      all.pop().remove();
      total(rows).value = Number(total(rows).value) - 1;
    }
  }

  function add(rows) {
    const index = total(rows).value;
    const template = own(rows, "template");
    const filled = document.createElement("template");
    const prefix = rows.dataset.rows;
    filled.innerHTML = template.innerHTML.replaceAll(`${prefix}-__prefix__`, `${prefix}-${index}`);
    const row = filled.content.firstElementChild;
    own(rows, "tbody, [data-list]").append(row);
    total(rows).value = Number(index) + 1;
    enliven(row);
    row.querySelector("select, input:not([type=hidden])").focus();
  }

  function remove(row) {
    tick(row).checked = true;
    row.hidden = true;
    own(row.closest("[data-rows]"), "[data-add]").focus();
  }

  function enliven(part) {
    for (const label of part.querySelectorAll("[data-removed]")) label.hidden = true;
    for (const button of part.querySelectorAll("[data-remove], [data-add]")) button.hidden = false;
    for (const price of part.querySelectorAll("[data-price]")) fit(price);
    if (part.matches("[data-price]")) fit(part);
  }

  let latest = 0;
  let waiting;
  async function preview() {
    latest += 1;
    const mine = latest;
    const answer = await fetch(panel.dataset.preview, { method: "POST", body: new FormData(form) });
    if (answer.ok && mine === latest) panel.innerHTML = await answer.text();
  }
  function previewSoon() {
    clearTimeout(waiting);
    // Without a connection the last prices stay.
    waiting = setTimeout(() => preview().catch(() => {}), 250);
  }

  if (form !== null && panel !== null) {
    for (const rows of form.querySelectorAll("[data-rows]")) {
      dropBlanks(rows);
      for (const row of rowsOf(rows)) row.hidden = tick(row).checked;
    }
    enliven(form);
    form.querySelector("[name=_preview]").hidden = true;
    form.addEventListener("input", previewSoon);
    form.addEventListener("change", (event) => {
      const price = event.target.closest("[data-price]");
      if (price !== null && event.target.name.endsWith("-model")) fit(price);
      previewSoon();
    });
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-add], [data-remove]");
      if (button === null) return;
      if ("add" in button.dataset) add(button.closest("[data-rows]"));
      else remove(button.closest("[data-row]"));
      previewSoon();
    });
  }
}
