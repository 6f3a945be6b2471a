import { useLayoutEffect, useRef } from 'preact/hooks';

export interface MenuItem {
  label: string;
  isDestructive?: boolean;
  run(): void;
}

interface MenuProps {
  label: string;
  /** The button that it belongs to: it opens beside it, and gives the focus back to it. */
  anchor: HTMLElement;
  items: readonly MenuItem[];
  onClose(): void;
}

const margin = 8;

/** A menu beside its button (ARIA APG, menu button pattern). Escape or a click elsewhere closes it. */
export function Menu({ label, anchor, items, onClose }: MenuProps) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    current.showPopover();
    const beside = anchor.getBoundingClientRect();
    const { width, height } = current.getBoundingClientRect();
    const left = Math.max(margin, Math.min(beside.right - width, innerWidth - width - margin));
    const isBelow = beside.bottom + height + margin < innerHeight;
    current.style.left = `${left}px`;
    current.style.top = `${isBelow ? beside.bottom + 2 : Math.max(margin, beside.top - height - 2)}px`;
    current.querySelector('button')?.focus();
    return () => {
      if (current.contains(document.activeElement) || document.activeElement === document.body) anchor.focus();
    };
  }, [anchor]);
  const step = (by: number) => {
    const buttons = [...(element.current?.querySelectorAll('button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons.at((at + by + buttons.length) % buttons.length)?.focus();
  };
  return (
    <div
      ref={element}
      popover="auto"
      class="menu"
      role="menu"
      tabIndex={-1}
      aria-label={label}
      // Before, as the event after it comes late: the button may have been pressed again by then.
      onBeforeToggle={(event) => {
        if (event.newState === 'closed') onClose();
      }}
      onKeyDown={(event) => {
        const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (by !== undefined) step(by);
        else if (event.key !== 'Tab') return;
        if (event.key === 'Tab') onClose();
        event.preventDefault();
      }}
    >
      {items.map(({ label: word, isDestructive, run }) => (
        <button
          key={word}
          type="button"
          role="menuitem"
          class={isDestructive ? 'danger' : ''}
          onClick={() => {
            onClose();
            anchor.focus();
            run();
          }}
        >
          {word}
        </button>
      ))}
    </div>
  );
}
