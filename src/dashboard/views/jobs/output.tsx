import { useEffect, useRef, useState } from 'preact/hooks';
import { read } from '../../api.js';
import { useLiveState } from '../../live.js';
import { number } from '../../ui/format.js';
import type { JobLine } from './job-line.js';

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

interface OutputPart {
  attempt: number;
  earlier: boolean;
  text: string;
  total_chars: number;
}

const pollMs = 400;

export interface Output {
  text: string;
  /** It is of an attempt before the one under way. */
  isEarlier: boolean;
}

/** The output of a job, which grows while the job is at work; only what is new is fetched. */
export function useOutput({ id, status, attempt }: JobLine): Output {
  const [shown, setShown] = useState<Output>({ text: '', isEarlier: false });
  const kept = useRef({ of: '', text: '' });
  const isPaused = useLiveState() === 'paused';
  const everyMs = status === 'running' && !isPaused ? pollMs : undefined;

  useEffect(() => {
    // What is shown stands still; what has not been shown yet is.
    if (isPaused && kept.current.of.startsWith(`${id}:`)) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function follow(): Promise<void> {
      const { of, text } = kept.current;
      const offset = of.startsWith(`${id}:`) ? text.length : 0;
      const part = await read<OutputPart>('page/job_output', { job_id: id, offset }, abort.signal);
      const source = `${id}:${part.attempt}:${part.earlier}`;
      // Another attempt has begun from the start, or what streamed in was replaced by what was kept.
      const isAnother = offset > 0 && (source !== of || part.total_chars < offset);
      kept.current = isAnother ? { of: source, text: '' } : { of: source, text: text.slice(0, offset) + part.text };
      if (!isAnother) setShown({ text: kept.current.text, isEarlier: part.earlier });
      if (isAnother || kept.current.text.length < part.total_chars) return follow();
      if (everyMs !== undefined) timer = setTimeout(run, everyMs);
    }

    // A failure is shown by what reads the job itself; here it is only tried again.
    function run(): void {
      follow().catch(() => {
        if (!abort.signal.aborted && everyMs !== undefined) timer = setTimeout(run, everyMs);
      });
    }

    run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, status, attempt, everyMs, isPaused]);

  return shown;
}
