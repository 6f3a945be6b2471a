import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import type { FieldProblem, Json } from '../../http/page/values.js';
import { jsonProblem, type Schema, type Shape, shapeOf, titleOf } from './schema.js';

export interface FieldProps {
  name: string;
  schema: Schema;
  /** Has the definitions that the schema refers to. */
  root: Schema;
  /** Undefined: left out. */
  value: Json | undefined;
  onChange(value: Json | undefined): void;
  /** As the server names it in its problems: `payload.tickers[0]`. */
  place: string;
  isRequired: boolean;
  problems: readonly FieldProblem[];
}

/** One value of a schema, with its description and what is wrong with it. */
export function Field(props: FieldProps) {
  const id = useId();
  const { name, schema, place, isRequired, problems } = props;
  // A payload's schema stands in the tool's, and brings its own definitions.
  const root = schema.$defs || schema.definitions ? schema : props.root;
  const shape = shapeOf(schema, root);
  const isPart = shape.kind === 'group' || shape.kind === 'list';
  const own = problems.filter(({ place: at }) => at === place || (!isPart && isInside(at, place)));
  const title = titleOf(name, shape);
  const about = (
    <>
      {shape.description && (
        <span class="hint" id={`${id}-hint`}>
          {shape.description}
        </span>
      )}
      {shape.examples && (
        <datalist id={`${id}-examples`}>
          {shape.examples.map((example) => (
            <option key={String(example)} value={String(example)} />
          ))}
        </datalist>
      )}
      {own.map(({ message }) => (
        <span key={message} class="problem" id={`${id}-problem`}>
          {message}
        </span>
      ))}
    </>
  );
  if (isPart) {
    return (
      <fieldset class="group">
        <legend>{title}</legend>
        {about}
        {shape.kind === 'group' ? (
          <Group {...props} root={root} shape={shape} />
        ) : (
          <List {...props} root={root} shape={shape} />
        )}
      </fieldset>
    );
  }
  const control = {
    id,
    required: isRequired,
    'aria-invalid': own.length > 0,
    'aria-describedby': `${id}-hint${own.length > 0 ? ` ${id}-problem` : ''}`,
  };
  return (
    <div class={shape.kind === 'flag' ? 'field flag' : 'field'}>
      <span>
        <label for={id}>{title}</label>
        {!isRequired && shape.kind !== 'flag' && <span class="quiet small"> optional</span>}
      </span>
      <Control {...props} shape={shape} control={control} />
      {about}
    </div>
  );
}

const isInside = (at: string, place: string): boolean => at.startsWith(`${place}.`) || at.startsWith(`${place}[`);

type ShapedProps = FieldProps & { shape: Shape };
type ControlProps = ShapedProps & { control: Record<string, unknown> };

function Control({ shape, value, onChange, control, isRequired }: ControlProps): ComponentChildren {
  const text = (given: string) => onChange(given === '' && !isRequired ? undefined : given);
  const usual = shape.default === undefined ? undefined : String(shape.default);
  switch (shape.kind) {
    case 'flag':
      return (
        <input
          {...control}
          required={false}
          type="checkbox"
          checked={(value ?? shape.default) === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'choice': {
      const at = shape.choices.indexOf(value ?? null);
      return (
        <select
          {...control}
          value={at < 0 ? '' : String(at)}
          onChange={(event) => onChange(shape.choices[Number(event.currentTarget.value || -1)])}
        >
          <option value="">{usual ?? (isRequired ? '' : 'not set')}</option>
          {shape.choices.map((choice, index) => (
            <option key={String(choice)} value={index}>
              {String(choice)}
            </option>
          ))}
        </select>
      );
    }
    case 'number': {
      const { type, minimum, maximum } = shape;
      const least = minimum ?? (typeof shape.exclusiveMinimum === 'number' ? shape.exclusiveMinimum : undefined);
      return (
        <input
          {...control}
          type="number"
          step={type === 'integer' ? 1 : 'any'}
          min={least}
          max={maximum}
          placeholder={usual}
          value={value === undefined ? '' : String(value)}
          onInput={({ currentTarget }) =>
            onChange(currentTarget.value === '' ? undefined : currentTarget.valueAsNumber)
          }
        />
      );
    }
    case 'text':
      return (
        <textarea
          {...control}
          dir="auto"
          rows={3}
          minLength={shape.minLength}
          maxLength={shape.maxLength}
          placeholder={usual}
          value={typeof value === 'string' ? value : ''}
          onInput={(event) => text(event.currentTarget.value)}
        />
      );
    case 'time':
      return (
        <input
          {...control}
          type="datetime-local"
          step={1}
          value={typeof value === 'string' ? toLocal(value) : ''}
          onInput={({ currentTarget: { value: at } }) => onChange(at === '' ? undefined : new Date(at).toISOString())}
        />
      );
    case 'date':
      return (
        <input
          {...control}
          type="date"
          value={typeof value === 'string' ? value : ''}
          onInput={(event) => text(event.currentTarget.value)}
        />
      );
    case 'json':
      return <JsonText value={value} onChange={onChange} shape={shape} control={control} />;
    default:
      return (
        <input
          {...control}
          type="text"
          list={shape.examples && `${control.id}-examples`}
          dir="auto"
          minLength={shape.minLength}
          maxLength={shape.maxLength}
          placeholder={usual}
          value={value === undefined ? '' : String(value)}
          onInput={(event) => text(event.currentTarget.value)}
        />
      );
  }
}

/** What a form cannot show otherwise; it is not submitted before it is JSON of the right type. */
function JsonText({ value, onChange, shape, control }: Pick<ControlProps, 'value' | 'onChange' | 'shape' | 'control'>) {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const problem = text.trim() === '' ? '' : jsonProblem(text, shape);
  return (
    <>
      <textarea
        {...control}
        class="json"
        rows={3}
        spellcheck={false}
        placeholder={shape.default === undefined ? 'JSON' : JSON.stringify(shape.default)}
        aria-invalid={problem !== '' || control['aria-invalid'] === true}
        ref={(element) => element?.setCustomValidity(problem)}
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          const isRight = currentTarget.value.trim() !== '' && jsonProblem(currentTarget.value, shape) === '';
          onChange(isRight ? JSON.parse(currentTarget.value) : undefined);
        }}
      />
      {problem && <span class="problem">{problem}</span>}
    </>
  );
}

/** A time as the browser's field takes it, in the zone of who looks. */
function toLocal(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

const isGroup = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of an object; what of the value the schema does not name is kept as it is. */
export function Group({ shape, root, value, onChange, place, isRequired, problems }: ShapedProps) {
  const values = isGroup(value) ? value : {};
  return Object.entries(shape.properties ?? {}).map(([name, schema]) => (
    <Field
      key={name}
      name={name}
      schema={typeof schema === 'object' ? schema : {}}
      root={root}
      value={values[name]}
      place={place === '' ? name : `${place}.${name}`}
      isRequired={(shape.required ?? []).includes(name) && (isRequired || Object.keys(values).length > 0)}
      problems={problems}
      onChange={(next) => {
        const { [name]: _, ...others } = values;
        const all = next === undefined ? others : { ...others, [name]: next };
        onChange(Object.keys(all).length === 0 && !isRequired ? undefined : all);
      }}
    />
  ));
}

/** The items of a list, each with a button that removes it, and one that adds another. */
function List({ name, shape, root, value, onChange, place, isRequired, problems }: ShapedProps) {
  const items = Array.isArray(value) ? value : [];
  const lastKey = useRef(items.length);
  const [keys, setKeys] = useState(items.map((_, index) => index));
  const itemSchema = typeof shape.items === 'object' ? shape.items : {};
  const first = shapeOf(itemSchema, root);
  const blank: Json =
    { group: {}, list: [], flag: false, json: null, choice: first.choices[0] ?? null }[first.kind as string] ??
    (first.kind === 'number' ? (first.minimum ?? 0) : '');
  const change = (next: Json[]) => onChange(next.length === 0 && !isRequired ? undefined : next);
  return (
    <>
      {items.map((item, index) => (
        <div class="item" key={keys[index] ?? index}>
          <Field
            name={`${titleOf(name)} ${index + 1}`}
            schema={{ ...itemSchema, title: `${titleOf(name)} ${index + 1}` }}
            root={root}
            value={item}
            place={`${place}[${index}]`}
            isRequired
            problems={problems}
            onChange={(next) => change(items.with(index, next ?? blank))}
          />
          <button
            type="button"
            aria-label={`Remove ${titleOf(name).toLowerCase()} ${index + 1}`}
            onClick={() => {
              setKeys(keys.toSpliced(index, 1));
              change(items.toSpliced(index, 1));
            }}
          >
            Remove
          </button>
        </div>
      ))}
      {items.length < (shape.maxItems ?? Infinity) && (
        <button
          type="button"
          onClick={() => {
            lastKey.current += 1;
            setKeys([...keys, lastKey.current]);
            change([...items, blank]);
          }}
        >
          Add {titleOf(name).toLowerCase()}
        </button>
      )}
    </>
  );
}
