// What is wrong with the page as it is laid out now: words of plots that touch each other, are cut off, are too small or
// hard to see; and whether the page is wider than its window.
(() => {
  const style = (element) => getComputedStyle(element);
  const root = document.scrollingElement;
  const shown = [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().width > 0);
  const faults = [];

  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 1)
      .map((element) => element.tagName);
    faults.push(`overflow: ${root.scrollWidth} > ${root.clientWidth} by ${[...new Set(wide)]}`);
  }

  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\d.]+/g).slice(0, 3).map((part) => channel(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    for (let above = element; above; above = above.parentElement) {
      const color = style(above).backgroundColor;
      if (!/rgba\(.*, 0\)/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };

  for (const svg of shown) {
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")];
    const boxes = texts.map((text) => text.getBoundingClientRect());
    const name = svg.querySelector("title").textContent;
    texts.forEach((text, index) => {
      const [box, words] = [boxes[index], text.textContent];
      if (box.left < frame.left - 1 || box.right > frame.right + 1) faults.push(`cut off in ${name}: ${words}`);
      if (box.top < frame.top - 1 || box.bottom > frame.bottom + 1) faults.push(`cut off in ${name}: ${words}`);
      if (parseFloat(style(text).fontSize) * scale < 9) faults.push(`small in ${name}: ${words}`);
      if (contrast(style(text).fill, ground(svg)) < 4.5) faults.push(`faint in ${name}: ${words}`);
      for (let other = 0; other < index; other += 1) {
        const across = Math.min(box.right, boxes[other].right) - Math.max(box.left, boxes[other].left);
        const down = Math.min(box.bottom, boxes[other].bottom) - Math.max(box.top, boxes[other].top);
        if (across > 1 && down > 3) faults.push(`overlap in ${name}: ${texts[other].textContent} | ${words}`);
      }
    });
    for (const mark of svg.querySelectorAll(".disc, .column")) {
      if (contrast(style(mark).fill, ground(svg)) < 3) faults.push(`faint mark in ${name}`);
    }
    for (const mark of svg.querySelectorAll(".ring, .cross, .line, .dots, .median")) {
      if (contrast(style(mark).stroke, ground(svg)) < 3) faults.push(`faint mark in ${name}`);
    }
  }
  for (const element of document.querySelectorAll("h1, h2, p, a, li, dt, dd *, td, th, figcaption, caption")) {
    if (contrast(style(element).color, ground(element)) < 4.5) faults.push(`faint: ${element.textContent.slice(0, 40)}`);
  }
  return { plots: shown.map((svg) => svg.querySelector("title").textContent), faults: [...new Set(faults)] };
})()
