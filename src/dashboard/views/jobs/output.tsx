import { useEffect, useRef } from 'preact/hooks';
import { number } from '../../ui/format.js';
import type { JobLine } from './job-line.js';
import { useOutput } from './use-output.js';

/** What a job has put out, as it comes; the end stays in view for who is at the end. */
export function JobOutput({ job }: { job: JobLine }) {
  const { text, isEarlier } = useOutput(job);
  const element = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  const isWriting = job.status === 'running' && !isEarlier;
  useEffect(() => {
    const { current } = element;
    if (current && isWriting && isAtEnd.current) current.scrollTop = current.scrollHeight;
  }, [text, isWriting]);
  if (text === '') {
    return job.status === 'running' && job.type === 'llm' ? <p class="note">Nothing has arrived yet.</p> : null;
  }
  return (
    <section>
      <h3>
        {job.status === 'completed' ? 'Answer' : 'Output so far'}{' '}
        <span class="fact">{number(text.length)} characters</span>
        {isEarlier && <span class="fact">of an earlier attempt</span>}
      </h3>
      <pre
        ref={element}
        class={`passage${isWriting ? ' writing' : ''}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever cannot use a wheel scrolls with the keys.
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
      >
        {text}
      </pre>
    </section>
  );
}
