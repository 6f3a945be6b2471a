import { useState } from 'preact/hooks';
import type { Json } from '../../../http/page/values.js';
import type { ShownAgents } from '../../../tools/shapes/agent.js';
import type { ShownSubmission } from '../../../tools/shapes/job.js';
import { useMayWrite } from '../../api.js';
import type { Schema } from '../../form/schema.js';
import type { Values } from '../../form/schema-form.js';
import { ToolForm } from '../../form/tool-form.js';
import { go } from '../../location.js';
import { DialogButton } from '../../ui/dialog.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';

const optional = [
  'priority',
  'run_at',
  'max_attempts',
  'timeout_seconds',
  'depends_on',
  'on_dependency_failure',
  'metadata',
  'idempotency_key',
];

/** The button that submits a job of any type, and its form. */
export function NewJob() {
  if (!useMayWrite()) return null;
  return (
    <DialogButton label="New job" title="New job">
      {(close) => <ChooseType onClose={close} />}
    </DialogButton>
  );
}

function ChooseType({ onClose }: { onClose(): void }) {
  const [type, setType] = useState('');
  const reading = useRead<ShownAgents>('list_agents');
  return (
    <Shown reading={reading}>
      {({ agents }) => (
        <>
          <div class="fields">
            <label>
              Type
              <select value={type} onChange={(event) => setType(event.currentTarget.value)}>
                <option value="">choose</option>
                {agents
                  .filter(({ submit_with }) => submit_with === undefined)
                  .map((agent) => (
                    <option key={agent.type} value={agent.type}>
                      {agent.type}
                    </option>
                  ))}
              </select>
            </label>
            <p class="quiet small">{agents.find((agent) => agent.type === type)?.description}</p>
          </div>
          {type !== '' && <JobForm key={type} type={type} onClose={onClose} />}
        </>
      )}
    </Shown>
  );
}

interface JobFormProps {
  type: string;
  payload?: Json;
  /** Of the job that is repeated. */
  options?: Values;
  onClose(): void;
}

/** The form of a job of a type, filled with the payload of an earlier one where it is repeated. */
export function JobForm({ type, payload, options = {}, onClose }: JobFormProps) {
  const reading = useRead<ShownAgents>('list_agents', { type });
  return (
    <Shown reading={reading}>
      {({ agents: [agent] }) => (
        <ToolForm<ShownSubmission>
          tool="submit_job"
          fixed={{ type }}
          only={['payload', ...optional]}
          instead={{ payload: () => payloadSchema(agent?.schema as Schema | undefined) }}
          folded={optional}
          initial={{ payload: payload ?? {}, ...options }}
          label="Submit"
          onClose={onClose}
          done={({ job_id }) => {
            go(`/jobs/${encodeURIComponent(job_id)}`);
            return 'The job is submitted.';
          }}
        />
      )}
    </Shown>
  );
}

/** An agent whose schema is not known takes an object, which it checks itself. */
const payloadSchema = (schema: Schema = { type: 'object' }): Schema => ({
  ...schema,
  title: 'Payload',
});
