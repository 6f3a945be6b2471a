import type { RelayOnPage } from '../../../http/page/relays.js';
import type { ShownAdvanced, ShownPipeline } from '../../../tools/shapes/relay.js';
import { useMayWrite } from '../../api.js';
import type { Schema } from '../../form/schema.js';
import { ToolForm } from '../../form/tool-form.js';
import { ActionForm, ConfirmButton, DialogButton } from '../../ui/dialog.js';
import { number } from '../../ui/format.js';
import { ModelField } from '../jobs/model-field.js';
import { writeRelay } from './counted.js';

export const canGoOn = ({ status }: Pick<ShownPipeline, 'status'>): boolean =>
  status !== 'completed' && status !== 'cancelled';

/** The actions that a relay allows in its present status. */
export function RelayActions({ relay }: { relay: RelayOnPage }) {
  const mayWrite = useMayWrite();
  if (!mayWrite || !canGoOn(relay)) return null;
  return (
    <div class="actions">
      <ConfirmButton
        label="Cancel relay"
        question="Cancel this relay?"
        consequence="It ends for good, with the background job that works on it. What its steps have delivered is kept."
        onConfirm={async () => {
          await writeRelay('cancel_relay_pipeline', { pipeline_id: relay.pipeline_id });
          return 'The relay is cancelled.';
        }}
      />
      <Budget relay={relay} />
      {relay.run?.running !== true && <Run relay={relay} />}
    </div>
  );
}

function Budget({ relay }: { relay: RelayOnPage }) {
  const change = async (form: FormData) => {
    const budget = Number(form.get('budget'));
    await writeRelay('page/set_relay_budget', { pipeline_id: relay.pipeline_id, token_budget: budget });
    return `The relay may use ${number(budget)} tokens in all.`;
  };
  return (
    <DialogButton label="Budget" title="Change the budget">
      {(close) => (
        <ActionForm label="Change" onSubmit={change} onClose={close}>
          <p>{number(relay.tokens_used)} tokens are used.</p>
          <label>
            Tokens for all steps and their retries
            <input
              name="budget"
              type="number"
              min={1}
              max={1_000_000_000}
              required
              defaultValue={String(relay.total_token_budget)}
            />
          </label>
        </ActionForm>
      )}
    </DialogButton>
  );
}

function Run({ relay }: { relay: RelayOnPage }) {
  const run = async (form: FormData) => {
    const model = String(form.get('model')).trim();
    await writeRelay('run_relay', { pipeline_id: relay.pipeline_id, ...(model ? { model } : {}) });
    return 'The relay is run in the background.';
  };
  return (
    <DialogButton label="Run" title="Have models run this relay to its end?" class="primary">
      {(close) => (
        <ActionForm label="Run" onSubmit={run} onClose={close}>
          <p>Each step becomes a background job; a second call judges its quality and its sources.</p>
          <ModelField usual={undefined} />
        </ActionForm>
      )}
    </DialogButton>
  );
}

interface RetryStepProps {
  relay: RelayOnPage;
  /** 0-based. */
  index: number;
  /** The step has passed already. */
  isRestart: boolean;
}

/** The button that retries a step, with feedback for the next attempt. */
export function RetryStep({ relay, index, isRestart }: RetryStepProps) {
  const word = isRestart ? 'Restart from here' : 'Retry';
  const retry = async (form: FormData) => {
    const feedback = String(form.get('feedback')).trim();
    await writeRelay('retry_relay_step', {
      pipeline_id: relay.pipeline_id,
      step_index: index,
      ...(feedback ? { feedback } : {}),
    });
    return `Step ${index + 1} has a new baton.`;
  };
  return (
    <DialogButton
      label={word}
      title={`${word}: step ${index + 1}, ${relay.agents[index]?.agent_type ?? ''}`}
      class="small-button"
    >
      {(close) => (
        <ActionForm label={word} onSubmit={retry} onClose={close}>
          {isRestart && <p>What this step and those after it have delivered is set aside and kept in the history.</p>}
          <label>
            What the next attempt should do differently
            <textarea name="feedback" rows={4} maxLength={20_000} dir="auto" />
          </label>
        </ActionForm>
      )}
    </DialogButton>
  );
}

/** The button that hands in the output of the step that has the baton, with scores. */
export function AdvanceStep({ relay, index }: { relay: RelayOnPage; index: number }) {
  const agent = relay.agents[index];
  const output: Schema = {
    type: 'string',
    ...agent?.output_schema,
    title: 'Output',
    description: 'What the step delivers.',
  };
  const fixed = { pipeline_id: relay.pipeline_id, baton_id: relay.baton?.baton_id };
  return (
    <DialogButton label="Hand in output" title={`Hand in the output of step ${index + 1}`} class="small-button">
      {(close) => (
        <ToolForm<ShownAdvanced>
          tool="advance_relay"
          fixed={fixed}
          only={['output', 'output_summary', 'quality_score', 'l_score', 'tokens_used']}
          instead={{ output: () => output }}
          initial={{ tokens_used: 0 }}
          label="Hand in"
          onClose={close}
          done={({ success, status, reason }) => {
            if (success) return status === 'pipeline_completed' ? 'The relay is completed.' : 'The step has passed.';
            return `The step has not passed. ${reason ?? ''}`;
          }}
        />
      )}
    </DialogButton>
  );
}
