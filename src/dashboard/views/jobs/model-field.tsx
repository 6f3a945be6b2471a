import type { ModelList } from '../../../http/page/jobs.js';
import { useRead } from '../../use-read.js';

/** A model name, with the configured ones as suggestions; empty for the default. */
export function ModelField({ usual }: { usual: string | null | undefined }) {
  const { data } = useRead<ModelList>('page/models');
  const known = data?.providers.flatMap(({ configured, model }) => (configured && model ? [model] : [])) ?? [];
  return (
    <label>
      Model
      <input name="model" list="models" maxLength={200} placeholder={usual ?? data?.default ?? ''} />
      <datalist id="models">
        {known.map((model) => (
          <option key={model} value={model} />
        ))}
      </datalist>
    </label>
  );
}
