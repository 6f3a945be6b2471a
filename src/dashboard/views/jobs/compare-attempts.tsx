import type { AttemptOutputs, JobAttempt } from '../../../http/page/jobs.js';
import { Compared, Folded } from '../../ui/passage.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';

interface CompareAttemptsProps {
  jobId: string;
  before: JobAttempt | undefined;
  after: JobAttempt;
}

/** What an attempt did otherwise than the one before it. */
export function CompareAttempts({ jobId, before, after }: CompareAttemptsProps) {
  if (!before || after.ended_at === null) return null;
  return (
    <Folded title={`Compare with attempt ${before.attempt}`}>
      {() => <Comparison jobId={jobId} before={before} after={after} />}
    </Folded>
  );
}

function Comparison({ jobId, before, after }: CompareAttemptsProps & { before: JobAttempt }) {
  const reading = useRead<AttemptOutputs>('page/attempt_outputs', { job_id: jobId });
  return (
    <Shown reading={reading}>
      {({ attempts }) => {
        const outputOf = ({ attempt: wanted }: JobAttempt) =>
          attempts.find(({ attempt }) => attempt === wanted)?.output ?? '';
        return (
          <>
            <Compared title="How it ran" before={factsOf(before)} after={factsOf(after)} />
            {(before.error || after.error) && (
              <Compared title="Error" before={before.error ?? ''} after={after.error ?? ''} />
            )}
            <Compared title="Output" before={outputOf(before)} after={outputOf(after)} />
          </>
        );
      }}
    </Shown>
  );
}

const factsOf = ({ outcome, model, error_code: code }: JobAttempt): string =>
  [`outcome: ${outcome}`, `model: ${model ?? 'none'}`, ...(code ? [`error: ${code}`] : [])].join('\n');
