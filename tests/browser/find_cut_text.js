/* Finds text that cannot be read: beyond the width of the page, or of a part that neither scrolls nor ends it with an ellipsis. */
() => {
  const WIDTH = document.documentElement.clientWidth;
  const HIDDEN = "svg, canvas, [aria-hidden=true], .oi-unseen, .oi-skip, option";
  const styles = new Map();
  const styleOf = (element) => styles.get(element) ?? styles.set(element, getComputedStyle(element)).get(element);
  const told = (element, text) => `cut: ${text.trim().slice(0, 60)}\n  ${element.outerHTML.slice(0, 160)}`;

  function cutBy(element, { left, right, top, bottom }) {
    for (let outer = element; outer && outer !== document.body; outer = outer.parentElement) {
      const { overflowX, overflowY, textOverflow, position } = styleOf(outer);
      const box = outer.getBoundingClientRect();
      if (/auto|scroll/.test(overflowX) || textOverflow === "ellipsis") return false;
      if (/hidden|clip/.test(overflowX) && (right > box.right + 1 || left < box.left - 1)) return true;
      if (/hidden|clip/.test(overflowY) && (bottom > box.bottom + 2 || top < box.top - 2)) return true;
      if (position === "fixed") break;
    }
    return right > WIDTH + 1 || left < -1;
  }

  const found = document.documentElement.scrollWidth > WIDTH ? [`the page is ${document.documentElement.scrollWidth} wide, its window ${WIDTH}`] : [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!data.trim() || parentElement.closest(HIDDEN) || !parentElement.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    range.selectNodeContents(texts.currentNode);
    if ([...range.getClientRects()].some((box) => box.width > 1 && cutBy(parentElement, box))) found.push(told(parentElement, data));
  }
  return found.slice(0, 8);
}
