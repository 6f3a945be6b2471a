import type { RelayOnPage } from '../../../http/page/relays.js';
import { number } from '../../ui/format.js';
import { Compared, Folded } from '../../ui/passage.js';
import { countedFromOne } from './counted.js';

type StepResult = RelayOnPage['results'][number];

interface CompareResultsProps {
  before: StepResult | undefined;
  after: StepResult;
  /** The number of the attempt, from 1. */
  attempt: number;
}

/** What an attempt at a step did otherwise than the one before it. */
export function CompareResults({ before, after, attempt }: CompareResultsProps) {
  if (!before) return null;
  return (
    <Folded title={`Compare with attempt ${attempt - 1}`}>
      {() => (
        <>
          <Compared title="How it ended" before={factsOf(before)} after={factsOf(after)} />
          <Compared title="Output" before={textOf(before.output)} after={textOf(after.output)} />
        </>
      )}
    </Folded>
  );
}

/** An output as one reads it. */
export const textOf = (output: unknown): string =>
  typeof output === 'string' ? output : output === undefined ? '' : JSON.stringify(output, null, 2);

const factsOf = ({ status, agent_id, quality_score, l_score, error_message }: StepResult): string =>
  [
    `outcome: ${status}`,
    `agent: ${agent_id}`,
    `quality: ${number(quality_score)}`,
    `l-score: ${number(l_score)}`,
    ...(error_message ? [`error: ${countedFromOne(error_message)}`] : []),
  ].join('\n');
