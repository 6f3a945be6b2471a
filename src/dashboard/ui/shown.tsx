import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Reading } from '../use-read.js';

interface ShownProps<Result> {
  reading: Reading<Result>;
  children(data: Result): ComponentChildren;
}

/** What was read, or that it is being read, or why it could not be. */
export function Shown<Result>({ reading, children }: ShownProps<Result>) {
  const { data, error, reload } = reading;
  return (
    <>
      {error && (
        <div class="problem" role="alert">
          <p>
            {error.message} {error.hint}
          </p>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {data === undefined ? !error && <p class="quiet">Reading…</p> : children(data)}
    </>
  );
}

/** Nothing is there yet: what it is for, and the first command to have some. */
export function Empty({ what, command }: { what: string; command?: string }) {
  return (
    <div class="empty">
      <p>{what}</p>
      {command && <code>{command}</code>}
    </div>
  );
}

/** Everything that is known of a thing, as the tools give it; written out only for those who open it. */
export function RawJson({ value }: { value: unknown }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="raw" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>JSON</summary>
      {isOpen && <pre>{JSON.stringify(value, null, 2)}</pre>}
    </details>
  );
}
