// Looks again at what is pending, until it no longer is. The server's page is the only truth:
// this fetches it as a reload would, and shows what it says.

const soon = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function lookAgain(element) {
  // It may lead away, back to the product that sent the visitor: then the whole page goes there.
  const options = { headers: { Accept: "text/html" }, redirect: "manual" };
  const response = await fetch(element.dataset.next, options);
  if (response.type === "opaqueredirect") {
    location.replace(element.dataset.next);
    return null;
  }
  if (!response.ok) return element;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.querySelector("[data-pending]");
  if (found === null) {
    location.replace(location.pathname);
    return null;
  }
  if (found.textContent === element.textContent) {
    Object.assign(element.dataset, found.dataset);
    return element;
  }
  element.replaceWith(found);
  return found;
}

let pending = document.querySelector("[data-pending]");
while (pending !== null) {
  await soon(Number(pending.dataset.seconds));
  // No connection at the moment: ask again.
  pending = await lookAgain(pending).catch(() => pending);
}
