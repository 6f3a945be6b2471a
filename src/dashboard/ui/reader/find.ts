/** More places are not counted. */
const mostPlaces = 5_000;

const names = { all: 'found', current: 'found-now' };

/** The places of a word in what an element shows, in any case of its letters, across the elements inside. */
export function findIn(element: Element, word: string): Range[] {
  const wanted = word.toLowerCase();
  if (wanted === '') return [];
  const nodes: { node: Text; from: number }[] = [];
  let text = '';
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    nodes.push({ node: node as Text, from: text.length });
    text += (node as Text).data;
  }
  // Some capital letters become two: places are told apart only as long as none does.
  const lower = text.toLowerCase().length === text.length ? text.toLowerCase() : text;
  const ranges: Range[] = [];
  let index = 0;
  const place = (at: number): [Text, number] | undefined => {
    while (index + 1 < nodes.length && (nodes[index + 1]?.from ?? 0) <= at) index++;
    const found = nodes[index];
    return found && [found.node, at - found.from];
  };
  for (
    let at = lower.indexOf(wanted);
    at !== -1 && ranges.length < mostPlaces;
    at = lower.indexOf(wanted, at + wanted.length)
  ) {
    const range = document.createRange();
    const [from, to] = [place(at), place(at + wanted.length - 1)];
    if (!from || !to) break;
    range.setStart(...from);
    range.setEnd(to[0], to[1] + 1);
    ranges.push(range);
  }
  return ranges;
}

/** Marks places, one of them as the present one, and scrolls there; nothing is changed in the document. */
export function markFound(ranges: readonly Range[], current: number, scroller: Element): void {
  const now = ranges[current];
  CSS.highlights?.set(names.all, new Highlight(...ranges));
  CSS.highlights?.set(names.current, new Highlight(...(now ? [now] : [])));
  if (!now) return;
  // What is out of sight has no place before it is laid out.
  now.startContainer.parentElement?.scrollIntoView({ block: 'nearest' });
  const [place, frame] = [now.getBoundingClientRect(), scroller.getBoundingClientRect()];
  scroller.scrollTop += place.top - frame.top - scroller.clientHeight / 2;
}

export function unmarkFound(): void {
  for (const name of Object.values(names)) CSS.highlights?.delete(name);
}
