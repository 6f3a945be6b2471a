import type { RelayOnPage } from '../../../http/page/relays.js';
import { useMayWrite } from '../../api.js';
import { duration, number } from '../../ui/format.js';
import { Folded, Passage } from '../../ui/passage.js';
import { Status } from '../../ui/state.js';
import { Time } from '../../ui/time.js';
import { ApproveStep } from './approve-step.js';
import { CompareResults, textOf } from './compare-results.js';
import { countedFromOne } from './counted.js';
import { AdvanceStep, canGoOn, RetryStep } from './relay-actions.js';
import { StepAtWork } from './step-at-work.js';

type RelayAgent = RelayOnPage['agents'][number];

/** One step of a relay: its agent, gates and attempts. */
export function Step({ relay, agent, index }: { relay: RelayOnPage; agent: RelayAgent; index: number }) {
  const mayWrite = useMayWrite();
  const results = relay.results.filter(({ step_index }) => step_index === index);
  const holder = (relay.batons ?? (relay.baton ? [relay.baton] : [])).find(({ step_index }) => step_index === index);
  const state = stateOf(relay, index, holder?.status);
  const isWaiting = holder?.status === 'awaiting_approval';
  const isReached = (index <= relay.current_step || holder !== undefined) && relay.status !== 'pending';
  const isRunning = relay.run?.running === true;
  const isPassed = results.some(({ counts }) => counts);
  // What would be refused is not offered: a step that has no retries left, or that a job works on.
  const mayRetry =
    mayWrite && isReached && relay.status !== 'cancelled' && !isRunning && (isPassed || relay.may_retry === true);
  return (
    <li class={`step ${state}`}>
      <span class="step-number">{index + 1}</span>
      <div class="step-inside">
        <div class="step-head">
          <strong>{agent.agent_type}</strong>
          <Status word={state} />
          {holder && holder.agent_id !== '' && holder.agent_id !== agent.agent_id && (
            <span class="badge stand-in">done by {holder.agent_id}</span>
          )}
          {holder && holder.retry_count > 0 && <span class="fact">retry {holder.retry_count}</span>}
          {agent.parallel && <span class="fact">beside step {index}</span>}
          {agent.approval && !isWaiting && <span class="fact">needs approval</span>}
          {mayWrite && isWaiting && <ApproveStep relay={relay} index={index} />}
          {mayWrite && holder && !isWaiting && !isRunning && canGoOn(relay) && (
            <AdvanceStep relay={relay} index={index} />
          )}
          {mayRetry && (state !== 'in_progress' || results.length > 0) && (
            <RetryStep relay={relay} index={index} isRestart={state === 'passed'} />
          )}
        </div>
        <div class="facts">
          <span class="fact">quality at least {number(agent.quality_threshold)}</span>
          {agent.l_score_threshold !== undefined && (
            <span class="fact">l-score at least {number(agent.l_score_threshold)}</span>
          )}
          <span class="fact">up to {number(agent.max_tokens)} tokens</span>
          {agent.fallback_agent && <span class="fact">fallback: {agent.fallback_agent}</span>}
          {agent.model && <span class="fact">{agent.model}</span>}
        </div>
        {agent.instructions && <Passage text={agent.instructions} />}
        {isRunning && relay.run?.job_id && index === relay.current_step && <StepAtWork jobId={relay.run.job_id} />}
        {results.map((result, attempt) => (
          <Result
            key={result.id}
            result={result}
            before={results[attempt - 1]}
            agent={agent}
            attempt={attempt + 1}
            isSameError={result.error_message === results[attempt - 1]?.error_message}
          />
        ))}
      </div>
    </li>
  );
}

function stateOf(relay: RelayOnPage, index: number, held: string | undefined): string {
  if (held === 'awaiting_approval') return 'awaiting approval';
  if (relay.results.some(({ step_index, counts }) => step_index === index && counts)) return 'passed';
  if (held !== undefined && relay.status !== 'pending') return 'in_progress';
  if (index !== relay.current_step || relay.status === 'pending') return 'waiting';
  return canGoOn(relay) ? relay.status : 'waiting';
}

interface ResultProps {
  result: RelayOnPage['results'][number];
  /** The attempt before it. */
  before: RelayOnPage['results'][number] | undefined;
  agent: RelayAgent;
  attempt: number;
  /** The attempt before failed for the same reason, which stands there. */
  isSameError: boolean;
}

function Result({ result, before, agent, attempt, isSameError }: ResultProps) {
  const { output, output_summary, error_message } = result;
  const isSetAside = result.status === 'passed' && !result.counts;
  const text = textOf(output);
  return (
    <div class={`attempt${isSetAside ? ' set-aside' : ''}`}>
      <div class="facts">
        <span class={result.status === 'passed' ? 'fact good' : 'fact bad'}>
          attempt {attempt} {isSetAside ? 'passed, set aside by a restart' : result.status}
        </span>
        {result.agent_id !== agent.agent_id && <span class="badge stand-in">by {result.agent_id}</span>}
        <Score name="quality" value={result.quality_score} gate={agent.quality_threshold} />
        <Score name="l-score" value={result.l_score} gate={agent.l_score_threshold ?? 0} />
        <span class="fact">{number(result.tokens_used)} tokens</span>
        <span class="fact">{duration(result.execution_time_ms)}</span>
        <span class="fact">
          <Time at={result.created_at} />
        </span>
      </div>
      {error_message &&
        (isSameError ? (
          <p class="quiet">for the same reason</p>
        ) : (
          <Passage text={countedFromOne(error_message)} isBad />
        ))}
      {output_summary && <Passage text={output_summary} />}
      {text && <Folded title="Output">{() => <Passage text={text} name={`${agent.agent_type}-${attempt}`} />}</Folded>}
      <CompareResults before={before} after={result} attempt={attempt} />
    </div>
  );
}

/** A score with the threshold of its gate. */
function Score({ name, value, gate }: { name: string; value: number; gate: number }) {
  return (
    <span class={`fact${value < gate ? ' bad' : ''}`}>
      {name}{' '}
      <meter
        min={0}
        max={1}
        low={gate}
        optimum={1}
        value={value}
        aria-label={`${name} ${number(value)}, gate ${number(gate)}`}
      />{' '}
      {number(value)}
    </span>
  );
}
