import { useState } from 'preact/hooks';
import type { RelayAgents } from '../../../http/page/relays.js';
import type { ShownCreatedPipeline } from '../../../tools/shapes/relay.js';
import { useMayWrite } from '../../api.js';
import type { Schema } from '../../form/schema.js';
import { ToolForm } from '../../form/tool-form.js';
import { go } from '../../location.js';
import { DialogButton } from '../../ui/dialog.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';

/** The button that creates a relay, and its form. */
export function NewRelay() {
  if (!useMayWrite()) return null;
  return (
    <DialogButton label="New relay" title="New relay" class="primary">
      {(close) => <ChooseAgents onClose={close} />}
    </DialogButton>
  );
}

function ChooseAgents({ onClose }: { onClose(): void }) {
  const [preset, setPreset] = useState<keyof RelayAgents['presets']>('standard');
  const reading = useRead<RelayAgents>('page/relay_agents');
  return (
    <Shown reading={reading}>
      {({ agents, presets }) => (
        <>
          <fieldset class="switch presets" aria-label="Template">
            {(Object.keys(presets) as (keyof typeof presets)[]).map((name) => (
              <button key={name} type="button" aria-pressed={preset === name} onClick={() => setPreset(name)}>
                {name}, {presets[name]?.length} steps
              </button>
            ))}
          </fieldset>
          <ToolForm<ShownCreatedPipeline>
            key={preset}
            tool="create_relay_pipeline"
            only={['name', 'goal', 'description', 'steps', 'token_budget']}
            instead={{ steps: (own) => withAgents(own, agents) }}
            initial={{ steps: (presets[preset] ?? []).map((type) => ({ agent_type: type })) }}
            folded={['description', 'token_budget']}
            label="Create"
            onClose={onClose}
            done={({ pipeline_id, warnings }) => {
              go(`/relays/${encodeURIComponent(pipeline_id)}`);
              return ['The relay is created.', ...(warnings ?? [])].join(' ');
            }}
          />
        </>
      )}
    </Shown>
  );
}

/** The schema of steps, with the standard agents as suggestions. */
function withAgents(steps: Schema, agents: RelayAgents['agents']): Schema {
  const item: Schema = typeof steps.items === 'object' ? steps.items : {};
  const type = item.properties?.agent_type;
  const agentType: Schema = {
    ...(typeof type === 'object' ? type : { type: 'string' }),
    title: 'Agent',
    description: 'One of the standard agents, or a name of your own.',
    examples: agents.map((agent) => agent.type),
  };
  return {
    ...steps,
    description: 'One agent after the other; each gets what the one before has delivered.',
    items: { ...item, properties: { ...item.properties, agent_type: agentType } },
  };
}
