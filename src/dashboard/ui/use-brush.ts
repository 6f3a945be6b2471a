import { useRef, useState } from 'preact/hooks';

/** From this many pixels on a press is a selection, and not a click. */
const leastPixels = 6;

interface Brush {
  /** The ends of what is being selected, as fractions of the width; undefined when nothing is. */
  selected: readonly [number, number] | undefined;
  /** For the element that is brushed. */
  handlers: {
    onPointerDown(event: PointerEvent): void;
    onPointerMove(event: PointerEvent): void;
    onPointerUp(event: PointerEvent): void;
    onPointerCancel(): void;
    onClickCapture(event: MouseEvent): void;
  };
}

/**
 * Selects a part of an element's width by dragging over it with a mouse or a pen; a finger scrolls the page. `fractionAt`
 * tells where in the drawing a point of the screen is.
 */
export function useBrush(fractionAt: (clientX: number) => number, onSelect: (from: number, to: number) => void): Brush {
  const [selected, setSelected] = useState<readonly [number, number]>();
  const start = useRef<{ x: number; fraction: number } | undefined>(undefined);
  const hasSelected = useRef(false);
  const end = () => {
    start.current = undefined;
    setSelected(undefined);
  };
  return {
    selected,
    handlers: {
      onPointerDown(event) {
        hasSelected.current = false;
        if (event.button !== 0 || event.pointerType === 'touch') return;
        start.current = { x: event.clientX, fraction: fractionAt(event.clientX) };
      },
      onPointerMove(event) {
        if (!start.current) return;
        if (Math.abs(event.clientX - start.current.x) < leastPixels && !selected) return;
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
        setSelected(sorted(start.current.fraction, fractionAt(event.clientX)));
      },
      onPointerUp(event) {
        const from = start.current;
        end();
        if (!from || !selected) return;
        hasSelected.current = true;
        onSelect(...sorted(from.fraction, fractionAt(event.clientX)));
      },
      onPointerCancel: end,
      // What is pressed and moved is not followed as a link.
      onClickCapture(event) {
        if (!hasSelected.current) return;
        hasSelected.current = false;
        event.preventDefault();
        event.stopPropagation();
      },
    },
  };
}

const sorted = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a]);
