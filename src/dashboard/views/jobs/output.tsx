import { useEffect, useRef, useState } from 'preact/hooks';
import type { JobOutputPart, JobSummary } from '../../../http/page/jobs.js';
import { read } from '../../api.js';
import { useLiveState } from '../../live.js';
import { number } from '../../ui/format.js';
import { Passage } from '../../ui/passage.js';

/** The output of a job, as it streams; a reader at its end stays there. */
export function JobOutput({ job }: { job: JobSummary }) {
  const { text, isEarlier, isRead } = useOutput(job);
  const isGrowing = !isRead || (job.status === 'running' && !isEarlier);
  if (text === '') {
    return job.status === 'running' && job.type === 'llm' ? <p class="note">Nothing has arrived yet.</p> : null;
  }
  return (
    <Passage
      title={job.status === 'completed' ? 'Answer' : 'Output so far'}
      about={
        <>
          <span class="fact">{number(text.length)} characters</span>
          {isEarlier && <span class="fact">of an earlier attempt</span>}
        </>
      }
      text={text}
      kind={job.type === 'command' ? 'console' : 'markdown'}
      name={`job-${job.id}`}
      isGrowing={isGrowing}
    />
  );
}

const pollMs = 400;
/** Characters. */
const overlap = 200;

export interface Output {
  text: string;
  /** From an earlier attempt than the current one. */
  isEarlier: boolean;
  /** Up to its end, as it was then. */
  isRead: boolean;
}

/** The output of a job, which grows while it runs; only new text is fetched. */
export function useOutput({ id, status, attempt }: JobSummary): Output {
  const [shown, setShown] = useState<Output>({ text: '', isEarlier: false, isRead: false });
  const kept = useRef({ of: '', text: '' });
  const isPaused = useLiveState() === 'paused';
  const everyMs = status === 'running' && !isPaused ? pollMs : undefined;

  useEffect(() => {
    // Paused output is not updated, but its first read still happens.
    if (isPaused && kept.current.of.startsWith(`${id}:`)) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function follow(): Promise<void> {
      const { of, text } = kept.current;
      // The end is read once more: it tells whether this is still the text that goes on.
      const offset = of.startsWith(`${id}:`) ? Math.max(0, text.length - overlap) : 0;
      const part = await read<JobOutputPart>('page/job_output', { job_id: id, offset }, abort.signal);
      const source = `${id}:${part.attempt}:${part.earlier}`;
      const known = text.slice(offset, offset + part.text.length);
      // A new attempt began from the start, or another text replaced the streamed one.
      const isAnother = offset > 0 && (source !== of || part.total_chars <= offset || !part.text.startsWith(known));
      kept.current = isAnother ? { of: source, text: '' } : { of: source, text: text.slice(0, offset) + part.text };
      const isRead = !isAnother && kept.current.text.length >= part.total_chars;
      if (!isAnother) setShown({ text: kept.current.text, isEarlier: part.earlier, isRead });
      if (!isRead) return follow();
      if (everyMs !== undefined) timer = setTimeout(run, everyMs);
    }

    // The read of the job itself shows the failure; here it is only retried.
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
