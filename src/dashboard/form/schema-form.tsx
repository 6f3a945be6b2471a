import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { FieldProblem, Json } from '../../http/page/values.js';
import { CallFailed } from '../api.js';
import { ActionForm } from '../ui/dialog.js';
import { Group } from './field.js';
import { type Schema, shapeOf } from './schema.js';

export type Values = Record<string, Json>;

export interface SchemaFormProps {
  /** Of an object. */
  schema: Schema;
  initial?: Values | undefined;
  /** Of the button that submits. */
  label: string;
  /** Names of fields that are shown when they are asked for. */
  folded?: readonly string[];
  /** Resolves to the notice to show. A CallFailed is shown at the fields that it names. */
  onSubmit(values: Values): Promise<string>;
  onClose(): void;
  children?: ComponentChildren;
}

/** A form made from a JSON schema. */
export function SchemaForm({ schema, initial = {}, label, folded = [], onSubmit, onClose, children }: SchemaFormProps) {
  const [values, setValues] = useState<Values>(initial);
  const [problems, setProblems] = useState<readonly FieldProblem[]>([]);
  const fields = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (problems.length > 0) fields.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [problems]);
  const submit = async () => {
    setProblems([]);
    try {
      return await onSubmit(values);
    } catch (error) {
      if (error instanceof CallFailed && areShown(error.fields, schema)) {
        setProblems(error.fields);
        throw new CallFailed('invalid', 'Nothing was changed: see what is said at the fields.', undefined);
      }
      throw error;
    }
  };
  const part = (isFolded: boolean) => {
    const names = Object.entries(schema.properties ?? {}).filter(([name]) => folded.includes(name) === isFolded);
    if (names.length === 0) return null;
    const shape = { ...shapeOf(schema, schema), properties: Object.fromEntries(names) };
    const common = { name: '', schema, root: schema, place: '', isRequired: true, problems };
    const onChange = (next: Json | undefined) => setValues((next ?? {}) as Values);
    return <Group {...common} shape={shape} value={values} onChange={onChange} />;
  };
  const more = part(true);
  return (
    <ActionForm label={label} onSubmit={submit} onClose={onClose}>
      {children}
      <div class="fields" ref={fields}>
        {part(false)}
        {more && (
          <details open={problems.some(({ place }) => folded.includes(place.split(/[.[]/)[0] ?? ''))}>
            <summary>More options</summary>
            <div class="fields">{more}</div>
          </details>
        )}
      </div>
    </ActionForm>
  );
}

/** Whether each problem has a field to stand at. */
function areShown(problems: readonly FieldProblem[], { properties = {} }: Schema): boolean {
  return problems.length > 0 && problems.every(({ place }) => (place.split(/[.[]/)[0] ?? '') in properties);
}
