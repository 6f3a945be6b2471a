import { useState } from 'preact/hooks';
import type { ShownScheduleList, ShownScheduling } from '../../../tools/shapes/schedule.js';
import type { Schema } from '../../form/schema.js';
import { ToolForm } from '../../form/tool-form.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';

export type ListedSchedule = ShownScheduleList['schedules'][number];

const times = ['cron', 'timezone', 'run_at', 'missed', 'overlap'];

interface ScheduleFormProps {
  /** The one to change; a new one unless given. */
  schedule?: ListedSchedule;
  onClose(): void;
}

export function ScheduleForm({ schedule, onClose }: ScheduleFormProps) {
  return schedule ? <ChangeForm schedule={schedule} onClose={onClose} /> : <NewForm onClose={onClose} />;
}

type Kind = ListedSchedule['kind'];

const kinds: Readonly<Record<Kind, string>> = {
  prompt: 'a prompt to a model',
  job: 'a job',
  goal: 'a goal with the tasks of a template',
  relay: 'a relay',
};

function NewForm({ onClose }: { onClose(): void }) {
  const [kind, setKind] = useState<Kind>('prompt');
  return (
    <>
      <div class="fields">
        <label>
          It submits
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
            {Object.entries(kinds).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ToolForm<ShownScheduling>
        key={kind}
        tool="schedule"
        fixed={{ kind }}
        only={['name', 'request', ...times]}
        instead={{ request: () => requestSchema(kind) }}
        folded={['run_at', 'missed', 'overlap']}
        label="Make"
        onClose={onClose}
        done={({ name }) => `${name} is scheduled.`}
      />
    </>
  );
}

/** Its request is read when it is to be changed, as lists leave it out. */
function ChangeForm({ schedule, onClose }: Required<ScheduleFormProps>) {
  const reading = useRead<ShownScheduleList>('list_schedules', { name: schedule.name, scope: 'all' });
  return (
    <Shown reading={reading}>
      {({ schedules }) => {
        const whole = schedules.find(({ id }) => id === schedule.id) ?? schedule;
        const { request = {}, cron, timezone, missed, overlap } = { ...schedule, ...whole };
        const initial = { request, timezone: timezone ?? '', missed: missed ?? '', overlap: overlap ?? '' };
        return (
          <ToolForm<ShownScheduling>
            tool="schedule"
            fixed={{ name: schedule.id }}
            only={['request', ...times]}
            instead={{ request: () => requestSchema(schedule.kind) }}
            folded={['run_at', 'missed', 'overlap']}
            initial={{ ...initial, ...(cron === undefined ? {} : { cron }) }}
            label="Save"
            onClose={onClose}
            done={({ name }) => `${name} is changed.`}
          />
        );
      }}
    </Shown>
  );
}

const text = (title: string, description?: string): Schema => ({
  type: 'string',
  title,
  ...(description === undefined ? {} : { description }),
});

/** The fields that most schedules of a kind have; whoever wants others writes them in the field for JSON. */
function requestSchema(kind: Kind): Schema {
  const parts: Readonly<Record<Kind, { properties: Record<string, Schema>; required: string[] }>> = {
    prompt: {
      properties: {
        task_description: { ...text('Prompt', '{{date}} is the day.'), maxLength: 2_000_000 },
        model: text('Model'),
      },
      required: ['task_description'],
    },
    job: {
      properties: { type: { ...text('Type'), maxLength: 100 }, payload: { type: 'object', title: 'Payload' } },
      required: ['type', 'payload'],
    },
    goal: {
      properties: {
        name: text('Name of the goal', '{{date}} is the day.'),
        template: text('Template of tasks'),
        run: { type: 'boolean', title: 'Background models do it' },
        model: text('Model'),
      },
      required: ['name', 'template'],
    },
    relay: {
      properties: {
        name: text('Name'),
        goal: { ...text('Goal'), maxLength: 100_000 },
        preset: { type: 'string', title: 'Agents', enum: ['quick', 'standard', 'deep'] },
        model: text('Model'),
      },
      required: ['name', 'goal', 'preset'],
    },
  };
  return { type: 'object', title: 'What it submits', ...parts[kind] };
}
