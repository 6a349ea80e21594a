/* Buttons that copy what stands in a field or an element: <button data-copy="its id">. Panels that are written anew bring new ones. */

/* A path, <input data-path>, becomes an address by the one that the browser is at. The server knows only the Host that a proxy passes on. */
for (const field of document.querySelectorAll("input[data-path]")) field.value = new URL(field.value, location.origin).href;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  if (field.select) field.select();
  else getSelection().selectAllChildren(field);
  let outcome = "Copied.";
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value ?? field.textContent);
    else document.execCommand("copy"); // Without TLS a browser offers no other way.
  } catch {
    outcome = "Your browser blocked copying. The text is selected; copy it manually.";
  }
  document.getElementById("oi-copied").textContent = outcome; // A live update may have written the panel anew meanwhile.
});
