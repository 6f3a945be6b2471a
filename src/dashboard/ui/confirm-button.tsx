import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface ConfirmButtonProps {
  /** What the button says. */
  children: ComponentChildren;
  /** What is asked before anything is done. */
  question: string;
  /** What the button says that does it. */
  yes: string;
  onConfirm(): Promise<unknown>;
}

/** A button for what cannot be taken back: it asks first, in its own place. */
export function ConfirmButton({ children, question, yes, onConfirm }: ConfirmButtonProps) {
  const [isAsking, setIsAsking] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isAsking) first.current?.focus();
  }, [isAsking]);

  if (!isAsking) {
    return (
      <button type="button" onClick={() => setIsAsking(true)}>
        {children}
      </button>
    );
  }
  const leave = () => setIsAsking(false);
  return (
    <span
      class="confirm"
      role="group"
      aria-label={question}
      onKeyDown={(event) => {
        if (event.key === 'Escape') leave();
      }}
    >
      {question}
      <button
        ref={first}
        type="button"
        class="danger"
        disabled={isBusy}
        onClick={async () => {
          setIsBusy(true);
          await onConfirm();
          setIsBusy(false);
          leave();
        }}
      >
        {yes}
      </button>
      <button type="button" onClick={leave}>
        No
      </button>
    </span>
  );
}
