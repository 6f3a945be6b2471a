import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Point } from './layout.js';

interface PanProps {
  label: string;
  /** The size of what is within, in pixels. */
  size: { width: number; height: number };
  /** What is to be in view at first. */
  start: Point | undefined;
  children: ComponentChildren;
}

const steps = [0.35, 0.5, 0.7, 1, 1.4];
const wholeSize = steps.indexOf(1);
const margin = 24;

/** A scrollable viewport that can also be dragged with the mouse, and zoomed. */
export function Pan({ label, size, start, children }: PanProps) {
  const element = useRef<HTMLElement>(null);
  const grip = useRef<Point | undefined>(undefined);
  const hasMoved = useRef(false);
  const [step, setStep] = useState(wholeSize);
  const zoom = steps[step] ?? 1;
  // What is looked at afterwards is for the reader to say, so only the first start counts.
  const hasStart = start !== undefined;
  useLayoutEffect(() => {
    const { current } = element;
    if (!current || !start) return;
    current.scrollTo(start.x - margin, start.y - current.clientHeight / 2);
  }, [hasStart]);
  /** The largest step at which all of it is in view. */
  const fit = () => {
    const { current } = element;
    if (!current) return;
    const wanted = Math.min(current.clientWidth / size.width, current.clientHeight / size.height);
    setStep(
      Math.max(
        0,
        steps.findLastIndex((one) => one <= Math.min(1, wanted)),
      ),
    );
  };
  return (
    <div class="pan-frame">
      <section
        ref={element}
        class="pan"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
        tabIndex={0}
        onDragStart={(event) => event.preventDefault()}
        onPointerDown={(event) => {
          hasMoved.current = false;
          if (event.button === 0 && event.pointerType === 'mouse')
            grip.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerMove={(event) => {
          if (!grip.current || event.buttons === 0) return;
          const by = { x: event.clientX - grip.current.x, y: event.clientY - grip.current.y };
          if (Math.abs(by.x) + Math.abs(by.y) > 3) hasMoved.current = true;
          element.current?.scrollBy(-by.x, -by.y);
          grip.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerUp={() => {
          grip.current = undefined;
        }}
        // A drag that ends on a task does not open it.
        onClickCapture={(event) => {
          if (!hasMoved.current) return;
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        <div style={{ zoom }}>{children}</div>
      </section>
      <fieldset class="zoom" aria-label="Zoom">
        <button type="button" aria-label="Smaller" disabled={step === 0} onClick={() => setStep(step - 1)}>
          −
        </button>
        <button type="button" onClick={fit}>
          Fit
        </button>
        <button
          type="button"
          aria-label="Larger"
          disabled={step === steps.length - 1}
          onClick={() => setStep(step + 1)}
        >
          +
        </button>
      </fieldset>
    </div>
  );
}
