import { useEffect, useRef, useState } from 'preact/hooks';

/** Which rows or cards of a list are selected. */
export interface Selection {
  ids: ReadonlySet<number>;
  /** Every row that the filter has, also those that are not shown. */
  isAll: boolean;
  /** `isRange` takes all from the last one that was clicked to this one. */
  toggle(id: number, isRange: boolean): void;
  selectAll(): void;
  clear(): void;
}

/**
 * @param scope Names the list: another one begins with nothing selected.
 * @param order The ids as they stand on the page.
 */
export function useSelection(scope: string, order: readonly number[]): Selection {
  const [selected, setSelected] = useState<{ ids: ReadonlySet<number>; isAll: boolean }>(nothing);
  const last = useRef<number | undefined>(undefined);
  const clear = () => {
    last.current = undefined;
    setSelected(nothing);
  };
  useEffect(clear, [scope]);
  return {
    ...selected,
    toggle(id, isRange) {
      const ids = new Set(selected.isAll ? order : selected.ids);
      const isOn = !ids.has(id);
      for (const one of isRange ? between(order, last.current ?? id, id) : [id]) {
        if (isOn) ids.add(one);
        else ids.delete(one);
      }
      last.current = id;
      setSelected({ ids, isAll: false });
    },
    selectAll: () => setSelected({ ids: new Set(order), isAll: true }),
    clear,
  };
}

const nothing = { ids: new Set<number>(), isAll: false };

function between(order: readonly number[], one: number, other: number): readonly number[] {
  const [from, to] = [order.indexOf(one), order.indexOf(other)].sort((a, b) => a - b);
  return from === undefined || to === undefined || from < 0 ? [other] : order.slice(from, to + 1);
}
