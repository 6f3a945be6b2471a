import type { ShownBreaker } from '../../../tools/shapes/breaker.js';
import type { Values } from '../../form/schema-form.js';
import { ToolForm } from '../../form/tool-form.js';

interface ConfigureBreakerProps {
  agent: string;
  rules: ShownBreaker['config'];
  onClose(): void;
}

const rare = [
  'half_open_max_calls',
  'success_threshold',
  'failure_rate_threshold',
  'minimum_calls',
  'cooldown_factor',
  'max_cooldown_seconds',
  'failure_weights',
];

/** The rules of a breaker as a form; a field that is emptied takes its rule away. */
export function ConfigureBreaker({ agent, rules, onClose }: ConfigureBreakerProps) {
  const initial = Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== null)) as Values;
  return (
    <ToolForm
      tool="circuit_breaker_configure"
      fixed={{ agent_id: agent }}
      initial={initial}
      folded={rare}
      label="Change"
      onClose={onClose}
      prepare={(values) => ({ ...values, ...(values.fallback_agent === undefined ? { fallback_agent: '' } : {}) })}
      done={() => `The rules of ${agent} are changed.`}
    />
  );
}

/** The form that makes a breaker before its agent is first used. */
export function NewBreaker({ onClose }: Pick<ConfigureBreakerProps, 'onClose'>) {
  return (
    <ToolForm
      tool="circuit_breaker_configure"
      folded={rare}
      label="Create"
      onClose={onClose}
      done={() => 'The breaker is set up.'}
    />
  );
}
