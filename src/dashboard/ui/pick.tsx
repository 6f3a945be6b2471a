import type { Selection } from './selection.js';

interface PickProps {
  id: number;
  title: string;
  selection: Selection;
}

/** The box that selects a row or card; with the shift key, all from the last one to this one. */
export function Pick({ id, title, selection }: PickProps) {
  return (
    <input
      type="checkbox"
      class="pick"
      aria-label={`Select ${title}`}
      checked={selection.isAll || selection.ids.has(id)}
      onClick={(event) => selection.toggle(id, event.shiftKey)}
    />
  );
}
