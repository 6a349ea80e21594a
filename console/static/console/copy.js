/* Buttons that copy what stands in a field: <button data-copy="its id">. */

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    const said = document.getElementById("oi-copied");
    field.select();
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
      else document.execCommand("copy"); // Without TLS a browser offers no other way.
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Your browser did not allow it. The key is selected: copy it by hand.";
    }
  });
}
