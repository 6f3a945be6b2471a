/** Longer lines and more lines are not coloured. */
const mostLines = 5_000;

const kinds: readonly [beginning: string, kind: string][] = [
  ['+++', 'file'],
  ['---', 'file'],
  ['diff ', 'file'],
  ['index ', 'file'],
  ['@@', 'hunk'],
  ['+', 'added'],
  ['-', 'removed'],
];

/** A unified diff, as git writes it, line by line in colour; the sign of each line says the same. */
export function Patch({ text }: { text: string }) {
  const lines = text.replace(/\n$/, '').split('\n');
  const isLong = lines.length > mostLines;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
    <pre class="code patch" tabIndex={0}>
      {isLong
        ? text
        : lines.map((line, index) => (
            <span key={index} class={kinds.find(([beginning]) => line.startsWith(beginning))?.[1]}>
              {`${line}\n`}
            </span>
          ))}
    </pre>
  );
}
