import { useState } from 'preact/hooks';
import type { ToolRoutes } from '../../../http/page/tool-routes.js';
import type { Page } from '../../../tools/call/page.js';
import type { ShownCall } from '../../../tools/shapes/tool-call.js';
import type { ShownListedTool } from '../../../tools/shapes/tool-server.js';
import { useMayWrite, write } from '../../api.js';
import type { Schema } from '../../form/schema.js';
import { SchemaForm, type Values } from '../../form/schema-form.js';
import { ToolForm } from '../../form/tool-form.js';
import { DialogButton } from '../../ui/dialog.js';
import { Folded, Passage } from '../../ui/passage.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';

type Route = ToolRoutes['routes'][number];

/** The tools of a server, read when they are asked for: each can be tried, and its routing changed. */
export function ServerTools({ server }: { server: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="quiet">Tools</summary>
      {isOpen && <Tools server={server} />}
    </details>
  );
}

function Tools({ server }: { server: string }) {
  const mayWrite = useMayWrite();
  const reading = useRead<Page<'tools', ShownListedTool>>('list_available_tools', {
    server,
    fields: 'full',
    limit: 200,
  });
  const routes = useRead<ToolRoutes>('page/tool_routes', {}, { subjects: ['tool'] });
  return (
    <Shown reading={reading}>
      {({ tools }) =>
        tools.length === 0 ? (
          <p class="quiet">It has none.</p>
        ) : (
          <ul class="server-tools">
            {tools.map((tool) => (
              <li key={tool.name}>
                <div>
                  <strong>{tool.name}</strong>
                  {tool.read_only && <span class="fact">only reads</span>}
                  {tool.changed && <span class="fact bad">changed since it was first seen</span>}
                  <p class="quiet small tool-about">{tool.description}</p>
                </div>
                {mayWrite && (
                  <div class="actions">
                    <TryTool tool={tool} />
                    <RouteTool tool={tool.name} route={routes.data?.routes.find((one) => one.tool === tool.name)} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Shown>
  );
}

function TryTool({ tool }: { tool: ShownListedTool }) {
  return (
    <DialogButton label="Try" name={`Try ${tool.name}`} title={tool.name}>
      {(close) => <TryForm tool={tool} onClose={close} />}
    </DialogButton>
  );
}

function TryForm({ tool, onClose }: { tool: ShownListedTool; onClose(): void }) {
  const [answered, setAnswered] = useState<{ values: Values; count: number; answer: ShownCall }>();
  const call = async (values: Values) => {
    const answer = await write<ShownCall>('call_tool', { tool_name: tool.name, ...values });
    setAnswered((last) => ({ values, answer, count: (last?.count ?? 0) + 1 }));
    return `${tool.name} has answered.`;
  };
  return (
    <>
      <SchemaForm
        // Anew after each answer, with what was asked.
        key={answered?.count ?? 0}
        schema={argumentsOf(tool)}
        initial={answered?.values}
        label={tool.read_only ? 'Call' : 'Call, which may change things'}
        onSubmit={call}
        // It stays open, to show what is answered.
        onClose={() => {}}
      />
      {answered && (
        <section class="answer">
          <h3>Answer</h3>
          <Passage text={textOf(answered.answer)} isBad={answered.answer.result.isError === true} />
          <Folded title="With how it was called">
            {() => <Passage text={JSON.stringify(answered.answer, null, 2)} />}
          </Folded>
          <div class="actions">
            <button type="button" onClick={onClose}>
              Close
            </button>
          </div>
        </section>
      )}
    </>
  );
}

/** The texts of an answer; all of it where it has none. */
function textOf({ result }: ShownCall): string {
  const texts = (result.content ?? []).flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
  return texts.length > 0 ? texts.join('\n') : JSON.stringify(result, null, 2);
}

/** The arguments in a field of their own: a tool may take any object, or have fields of any name. */
function argumentsOf({ input_schema: own }: ShownListedTool): Schema {
  const schema: Schema = { type: 'object', ...own, title: 'Arguments' };
  const hasFields = Object.keys(schema.properties ?? {}).length > 0;
  return { type: 'object', properties: { arguments: schema }, required: hasFields ? ['arguments'] : [] };
}

function RouteTool({ tool, route }: { tool: string; route: Route | undefined }) {
  const { tool: _, ...rule } = route ?? { tool };
  const initial = rule as Values;
  return (
    <DialogButton label={route ? 'Route (set)' : 'Route'} name={`Route of ${tool}`} title={`Route of ${tool}`}>
      {(close) => (
        <ToolForm
          tool="set_tool_route"
          fixed={{ tool_name: tool }}
          only={['prefer', 'backups', 'cache_seconds', 'retry_safe']}
          initial={initial}
          label="Change"
          onClose={close}
          // What is emptied is taken away.
          prepare={(values) => ({ ...values, reset: true })}
          done={() => `The route of ${tool} is changed.`}
        />
      )}
    </DialogButton>
  );
}
