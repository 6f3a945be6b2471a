import { useEffect, useState } from 'preact/hooks';
import { type Arguments, CallFailed, toolSchemas, write } from '../api.js';
import { Shown } from '../ui/shown.js';
import type { Reading } from '../use-read.js';
import type { Schema } from './schema.js';
import { SchemaForm, type SchemaFormProps, type Values } from './schema-form.js';

interface ToolFormProps<Result> extends Omit<SchemaFormProps, 'schema' | 'onSubmit'> {
  tool: string;
  /** Arguments that are not asked for. */
  fixed?: Arguments;
  /** The fields in the order in which they are asked for; all of the tool unless given. */
  only?: readonly string[];
  /** What the schemas of fields are made into. */
  instead?: Record<string, (own: Schema) => Schema>;
  /** Fields that must be given although the tool can do without. */
  required?: readonly string[];
  /** What is sent in place of the values. */
  prepare?(values: Values): Values;
  /** The notice of a result; it may also go elsewhere. */
  done(result: Result): string;
}

/** A form that calls a tool, made from its input schema. */
export function ToolForm<Result>(props: ToolFormProps<Result>) {
  const { tool, fixed = {}, only, instead = {}, required: needed = [], prepare, done, ...form } = props;
  const reading = useToolSchema(tool);
  return (
    <Shown reading={reading}>
      {(schema) => {
        const names = only ?? Object.keys(schema.properties ?? {}).filter((name) => !(name in fixed));
        const properties = Object.fromEntries(
          names.map((name) => {
            const own = schema.properties?.[name];
            const given = typeof own === 'object' ? own : {};
            return [name, instead[name]?.(given) ?? given];
          }),
        );
        const required = [...(schema.required?.filter((name) => name in properties) ?? []), ...needed];
        const submit = async (values: Values) =>
          done(await write<Result>(tool, { ...fixed, ...(prepare?.(values) ?? values) }));
        return <SchemaForm {...form} schema={{ ...schema, properties, required }} onSubmit={submit} />;
      }}
    </Shown>
  );
}

function useToolSchema(tool: string): Reading<Schema> {
  const [state, setState] = useState<{ data?: Schema; error?: CallFailed }>({});
  const load = () =>
    void toolSchemas().then(
      (schemas) => {
        const data = schemas.get(tool) as Schema | undefined;
        const missing = new CallFailed(
          'not_configured',
          'The server does not offer this.',
          'Its toolsets leave it out.',
        );
        setState(data ? { data } : { error: missing });
      },
      (error: unknown) => setState(error instanceof CallFailed ? { error } : {}),
    );
  useEffect(load, [tool]);
  return { data: state.data, error: state.error, reload: load };
}
