import type { TemplateList } from '../../../http/page/templates.js';
import { useMayWrite, write } from '../../api.js';
import type { Schema } from '../../form/schema.js';
import { ToolForm } from '../../form/tool-form.js';
import { go } from '../../location.js';
import { ConfirmButton, DialogButton } from '../../ui/dialog.js';
import { Empty, RawJson, Shown } from '../../ui/shown.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';

type Template = TemplateList['templates'][number];

const mostTitles = 8;

/** The task templates: what is created again and again, with other values for its parameters. */
export function Templates() {
  const mayWrite = useMayWrite();
  const reading = useRead<TemplateList>('page/templates', {}, { subjects: ['runtime'] });
  return (
    <>
      {mayWrite && (
        <div class="toolbar">
          <DialogButton label="New template" title="New template" class="primary">
            {(close) => <SaveTemplate onClose={close} />}
          </DialogButton>
        </div>
      )}
      <Shown reading={reading}>
        {(read) => (
          <>
            {read.templates.length === 0 && (
              <Empty what="No templates yet. A template is a set of tasks that is created again and again, with {{parameters}} in its texts." />
            )}
            <ul class="templates">
              {read.templates.map((template) => (
                <li key={template.name} class="card">
                  <TemplateCard template={template} />
                </li>
              ))}
            </ul>
            <RawJson value={read} />
          </>
        )}
      </Shown>
    </>
  );
}

function TemplateCard({ template }: { template: Template }) {
  const mayWrite = useMayWrite();
  const { name, description, parameters, tasks, updated_at } = template;
  return (
    <>
      <h2>{name}</h2>
      {description && <p>{description}</p>}
      <ol class="template-tasks">
        {tasks.slice(0, mostTitles).map((task, index) => (
          <li key={index}>{String(task.title)}</li>
        ))}
      </ol>
      {tasks.length > mostTitles && <p class="quiet">and {tasks.length - mostTitles} more</p>}
      <div class="facts">
        {parameters.map((parameter) => (
          <code key={parameter}>{`{{${parameter}}}`}</code>
        ))}
        <span class="fact">
          changed <Time at={updated_at} />
        </span>
      </div>
      {mayWrite && (
        <div class="actions">
          <DialogButton label="Use" name={`Use ${name}`} title={`Create the tasks of ${name}`} class="primary">
            {(close) => <UseTemplate template={template} onClose={close} />}
          </DialogButton>
          <DialogButton label="Edit" name={`Edit ${name}`} title={`Edit ${name}`}>
            {(close) => <SaveTemplate template={template} onClose={close} />}
          </DialogButton>
          <ConfirmButton
            label="Delete"
            question={`Delete the template ${name}?`}
            consequence="Tasks that were made from it stay."
            onConfirm={async () => {
              await write('page/delete_template', { name });
              return `The template ${name} is deleted.`;
            }}
          />
        </div>
      )}
    </>
  );
}

interface TemplateFormProps {
  template?: Template;
  onClose(): void;
}

/** A new template, or the tasks and the description of one that there is. */
function SaveTemplate({ template, onClose }: TemplateFormProps) {
  const { name, description, tasks = [{ title: '' }] } = template ?? {};
  return (
    <ToolForm<{ count: number }>
      tool="save_task_template"
      fixed={name === undefined ? {} : { name }}
      only={[...(name === undefined ? ['name'] : []), 'description', 'tasks']}
      initial={{ ...(description ? { description } : {}), tasks: [...tasks] }}
      label="Save"
      onClose={onClose}
      done={({ count }) => `The template has ${count === 1 ? 'one task' : `${count} tasks`}.`}
    />
  );
}

/** The values of the parameters, and the goal of the new tasks. */
function UseTemplate({ template: { name, parameters }, onClose }: TemplateFormProps & { template: Template }) {
  const values: Schema = {
    type: 'object',
    title: 'Values',
    properties: Object.fromEntries(parameters.map((parameter) => [parameter, { type: 'string', title: parameter }])),
    required: parameters,
  };
  return (
    <ToolForm<{ count: number }>
      tool="create_tasks"
      fixed={{ template: name }}
      only={[...(parameters.length > 0 ? ['parameters'] : []), 'goal_id']}
      instead={{ parameters: () => values }}
      required={parameters.length > 0 ? ['parameters'] : []}
      label="Create tasks"
      onClose={onClose}
      done={({ count }) => {
        go('/board');
        return `${count} ${count === 1 ? 'task is' : 'tasks are'} created.`;
      }}
    />
  );
}
