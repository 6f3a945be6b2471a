import { filter } from '../location.js';

interface ChoiceProps {
  /** The filter's parameter in the address, and its label. */
  name: string;
  any: string;
  query: URLSearchParams;
  choices: readonly { value: string; words: string }[];
}

/** One filter of a list; the choice is kept in the address. */
export function Choice({ name, any, query, choices }: ChoiceProps) {
  const value = query.get(name) ?? '';
  const isKnown = value === '' || choices.some((choice) => choice.value === value);
  return (
    <select
      aria-label={name}
      class={value === '' ? '' : 'is-set'}
      value={value}
      onChange={(event) => filter({ [name]: event.currentTarget.value, before: '', page: '' })}
    >
      <option value="">{any}</option>
      {!isKnown && <option value={value}>{value}</option>}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value} title={choice.value}>
          {choice.words}
        </option>
      ))}
    </select>
  );
}
