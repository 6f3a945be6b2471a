import { useEffect, useState } from 'preact/hooks';
import type { RelayBaton, RelayOnPage } from '../../../http/page/relays.js';
import { Link } from '../../location.js';
import { usePageTitle } from '../../shell/page-title.js';
import { costWords, number } from '../../ui/format.js';
import { History } from '../../ui/history.js';
import { Folded, Passage } from '../../ui/passage.js';
import { ReadTimeline } from '../../ui/read-timeline.js';
import { RawJson, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { Particular, When } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { countedFromOne } from './counted.js';
import { canGoOn, RelayActions } from './relay-actions.js';
import { Step } from './step.js';

const subjects = ['relay', 'job', 'runtime'];

/** One relay: its steps in order, with every attempt, and the baton. */
export function Relay({ id }: { id: string }) {
  const reading = useRead<RelayOnPage>('page/relay', { pipeline_id: id }, { subjects });
  usePageTitle(reading.data?.name);
  return (
    <>
      <Link to="/relays" class="back">
        ← Relays
      </Link>
      <Shown reading={reading}>{(relay) => <Sheet relay={relay} />}</Shown>
    </>
  );
}

function Sheet({ relay }: { relay: RelayOnPage }) {
  return (
    <article class="sheet">
      <header class="sheet-head">
        <h2>{relay.name}</h2>
        <RelayActions relay={relay} />
      </header>
      <StepBar done={relay.current_step} total={relay.total_steps} status={relay.status} />
      <div class="sheet-body">
        <Particulars relay={relay} />
        <div class="sheet-text">
          <Passage title="Error" text={relay.error ? countedFromOne(relay.error.message) : null} isBad />
          <Passage title="Goal" text={relay.goal} />
          <Passage title="Description" text={relay.description} />
          <ReadTimeline title="Steps in time" of={{ pipeline_id: relay.pipeline_id }} subjects={subjects} />
          <section>
            <h3>Steps</h3>
            <ol class="steps">
              {relay.agents.map((agent, index) => (
                <Step key={agent.agent_id} relay={relay} agent={agent} index={index} />
              ))}
            </ol>
          </section>
          {relay.baton && relay.baton.status !== 'awaiting_approval' && canGoOn(relay) && (
            <Baton key={`${relay.baton.baton_id} ${relay.baton.agent_id}`} relay={relay} baton={relay.baton} />
          )}
          <History subject="relay" id={relay.pipeline_id} />
          <RawJson value={relay} />
        </div>
      </div>
    </article>
  );
}

/** The baton and its prompt, read once for each baton, as neither changes while it is held. */
function Baton({ relay, baton }: { relay: RelayOnPage; baton: NonNullable<RelayOnPage['baton']> }) {
  const [isRead, setRead] = useState(false);
  const { data: { held: data } = {} } = useRead<RelayBaton>(
    'page/relay_baton',
    { pipeline_id: relay.pipeline_id, baton_id: baton.baton_id },
    { isWanted: !isRead },
  );
  useEffect(() => setRead(data !== undefined), [data]);
  if (!data) return null;
  return (
    <section>
      <h3>The baton</h3>
      {data.baton.handed_over && <p class="note">{data.baton.handed_over}</p>}
      <Folded title={`The prompt of step ${baton.step_index + 1}`}>
        {() => <Passage text={data.prompt} name="prompt" />}
      </Folded>
      <Passage title="Baton" text={JSON.stringify(data, null, 2)} name="baton" />
    </section>
  );
}

function Particulars({ relay }: { relay: RelayOnPage }) {
  const { run, average_quality, average_l_score } = relay;
  const jobId = run?.job_id ?? run?.run_id;
  return (
    <dl class="particulars">
      <Particular name="Status">
        <Status word={relay.status} />
      </Particular>
      <Particular name="Steps">
        {Math.min(relay.current_step, relay.total_steps)} of {relay.total_steps} passed
      </Particular>
      <Particular name="Tokens">
        <span class="number">{number(relay.tokens_used)}</span>
        <div class="quiet">of {number(relay.total_token_budget)}</div>
        <div class="quiet">
          {costWords(relay)}
          {relay.budget_usd !== undefined && ` of $${relay.budget_usd}`}
        </div>
      </Particular>
      {average_quality !== null && <Particular name="Quality">{number(average_quality)} on average</Particular>}
      {average_l_score !== null && <Particular name="L-score">{number(average_l_score)} on average</Particular>}
      {relay.baton && <Particular name="Baton">{relay.baton.agent_id || 'nobody yet'}</Particular>}
      {run && jobId && (
        <Particular name="Background run">
          <Link to={`/jobs/${encodeURIComponent(jobId)}`}>{run.running ? (run.doing ?? 'running') : 'ended'}</Link>
        </Particular>
      )}
      <When name="Created" at={relay.created_at} />
      <When name="Started" at={relay.started_at} />
      <When name="Ended" at={relay.completed_at} />
      <Particular name="Id">
        <code>{relay.pipeline_id}</code>
      </Particular>
    </dl>
  );
}

interface StepBarProps {
  /** Steps that have passed. */
  done: number;
  total: number;
  status: string;
}

/** The steps of a relay as segments of a bar. */
export function StepBar({ done, total, status }: StepBarProps) {
  const atWork = status === 'failed' ? 'failed' : status === 'in_progress' ? 'in_progress' : '';
  return (
    <span class="step-bar" aria-hidden="true">
      {Array.from({ length: total }, (_, step) => (
        <span key={step} class={step < done ? 'completed' : step === done ? atWork : ''} />
      ))}
    </span>
  );
}
