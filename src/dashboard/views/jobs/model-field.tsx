import { useRead } from '../../use-read.js';

export interface ModelsRead {
  default: string | null;
  providers: { id: string; configured: boolean; model?: string; mend?: string }[];
}

/** A model to be named, with those that are set up to choose from; empty for the usual one. */
export function ModelField({ usual }: { usual: string | null | undefined }) {
  const { data } = useRead<ModelsRead>('page/models');
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
