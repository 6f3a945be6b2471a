import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { number } from '../format.js';
import { copy } from '../save.js';
import { parsed } from './kind.js';
import { Prose } from './prose.js';

/** Members that are drawn before one asks for more. */
const atOnce = 100;
/** A longer string is folded. */
const longString = 200;

interface Choice {
  path: string;
  value: unknown;
}

/** A value as a tree; what is folded is not drawn. The value that one has clicked can be copied, and its path. */
export function JsonTree({ value }: { value: unknown }) {
  const [choice, setChoice] = useState<Choice>();
  return (
    <div class="json">
      <ul>
        <Node name="" path="$" value={value} isOpen onChoose={setChoice} chosen={choice?.path} />
      </ul>
      {choice && (
        <div class="tools json-choice">
          <code>{choice.path.length > 200 ? `…${choice.path.slice(-200)}` : choice.path}</code>
          <button type="button" onClick={() => copy(textOf(choice.value), 'The value')}>
            Copy value
          </button>
          <button type="button" onClick={() => copy(choice.path, 'The path')}>
            Copy path
          </button>
        </div>
      )}
    </div>
  );
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

interface NodeProps {
  name: string;
  path: string;
  value: unknown;
  isOpen?: boolean;
  chosen: string | undefined;
  onChoose(choice: Choice): void;
}

function Node({ name, path, value, isOpen: opensFirst = false, chosen, onChoose }: NodeProps) {
  const [isOpen, setOpen] = useState(opensFirst);
  const inside = insideOf(value);
  const isBranch = inside !== undefined;
  return (
    <li>
      <button
        type="button"
        class={isBranch ? 'branch' : 'leaf'}
        aria-expanded={isBranch ? isOpen : undefined}
        aria-current={chosen === path ? 'true' : undefined}
        onClick={() => {
          onChoose({ path, value });
          if (isBranch) setOpen(!isOpen);
        }}
      >
        {name !== '' && <span class="json-key">{name}: </span>}
        <Preview value={value} isOpen={isOpen} />
      </button>
      {isBranch && isOpen && inside({ path, chosen, onChoose })}
    </li>
  );
}

type Around = Pick<NodeProps, 'path' | 'chosen' | 'onChoose'>;

/** What a value unfolds to: its members, or what a string holds. */
function insideOf(value: unknown): ((around: Around) => ComponentChildren) | undefined {
  if (typeof value === 'object' && value !== null) {
    const isEmpty = Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
    return isEmpty ? undefined : (around) => <Members {...around} value={value} />;
  }
  if (typeof value !== 'string') return undefined;
  const whole = parsed(value);
  if (whole) return (around) => <Members {...around} path={`${around.path} (as JSON) `} value={whole} />;
  if (value.length <= longString && !value.includes('\n')) return undefined;
  return () => (
    <div class="json-text">
      <Prose text={value} />
    </div>
  );
}

function Members({ value, path, chosen, onChoose }: Around & { value: object }) {
  const [most, setMost] = useState(atOnce);
  const keys = Array.isArray(value) ? undefined : Object.keys(value);
  const count = keys?.length ?? (value as unknown[]).length;
  const members = Array.from({ length: Math.min(count, most) }, (_, index) => {
    const key = keys?.[index];
    const isName = key !== undefined && /^[A-Za-z_]\w*$/.test(key);
    return {
      name: key ?? String(index),
      path: key === undefined ? `${path}[${index}]` : isName ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`,
      value: key === undefined ? (value as unknown[])[index] : (value as Record<string, unknown>)[key],
    };
  });
  return (
    <ul>
      {members.map((member) => (
        <Node key={member.path} {...member} chosen={chosen} onChoose={onChoose} />
      ))}
      {count > most && (
        <li>
          <button type="button" class="leaf quiet" onClick={() => setMost(most * 10)}>
            Show more: {number(most)} of {number(count)} are shown
          </button>
        </li>
      )}
    </ul>
  );
}

function Preview({ value, isOpen }: { value: unknown; isOpen: boolean }) {
  if (typeof value === 'string') {
    const isFolded = value.length > longString;
    const shown = JSON.stringify(isFolded ? value.slice(0, longString) : value);
    return (
      <span class="json-string">
        {shown}
        {isFolded && <span class="quiet"> … {number(value.length)} characters</span>}
      </span>
    );
  }
  if (typeof value !== 'object' || value === null) return <span class="json-plain">{String(value)}</span>;
  const count = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [before, after, word] = Array.isArray(value) ? ['[', ']', 'items'] : ['{', '}', 'fields'];
  if (count === 0) return <span class="quiet">{before + after}</span>;
  return (
    <span class="quiet">
      {isOpen
        ? `${number(count)} ${count === 1 ? word.slice(0, -1) : word}`
        : `${before} ${number(count)} ${count === 1 ? word.slice(0, -1) : word} ${after}`}
    </span>
  );
}
