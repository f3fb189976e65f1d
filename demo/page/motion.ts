/** Motion that tells something; none of it where the reader asked for less. */

const calm = matchMedia('(prefers-reduced-motion: reduce)');

export function movesLess(): boolean {
  return calm.matches;
}

const glide: KeyframeAnimationOptions = { duration: 520, easing: 'cubic-bezier(.2,.8,.2,1)' };

/**
 * FLIP: remembers where the rows are, lets `change` put them in their new order, and glides each from where
 * it was. All places are read before and after, none in between: two layouts, however many rows.
 */
export function glideRows(list: HTMLElement, change: () => void): void {
  if (movesLess() || document.hidden) {
    change();
    return;
  }
  const before = new Map<Element, number>();
  for (const row of list.children) before.set(row, (row as HTMLElement).offsetTop);
  change();
  const moves: [Element, number | undefined][] = [...list.children].map((row) => {
    const was = before.get(row);
    return [row, was === undefined ? undefined : was - (row as HTMLElement).offsetTop];
  });
  for (const [row, by] of moves) {
    if (by === 0) continue;
    if (by === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], glide);
    else {
      // what rises passes over what falls
      const zIndex = by > 0 ? 2 : 1;
      row.animate(
        [
          { transform: `translateY(${by}px)`, zIndex },
          { transform: 'none', zIndex },
        ],
        glide,
      );
    }
  }
}

/** Colours what changed and lets it fade: `up`, `down` or `new`. */
export function flash(what: Element, kind: 'up' | 'down' | 'new'): void {
  if (movesLess() || document.hidden) return;
  const colour = `var(--flash-${kind})`;
  what.animate([{ backgroundColor: colour }, {}], { duration: 900, easing: 'ease-out' });
}

/** Runs `draw` at most once a frame, however often it is asked for; at once again when the page is seen. */
export function onFrame(draw: () => void): () => void {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      draw();
    });
  };
}
