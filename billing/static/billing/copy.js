// The button is of no use without this, so it is shown by it.
const button = document.querySelector("[data-copy]");
const field = document.getElementById(button.dataset.copy);
const said = document.querySelector("[data-copied]");
button.hidden = false;
button.addEventListener("click", async () => {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    said.textContent = "Copied";
  } catch {
    // Not allowed: the code is selected, to be copied by hand.
    said.textContent = "Selected: copy it with your keyboard or the menu";
  }
  said.classList.remove("hidden");
});
