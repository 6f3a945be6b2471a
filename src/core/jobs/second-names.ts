import { type Json, type JsonObject, readJson } from '../../base/json.js';

/** What a result has under a first name, as the earlier job server showed it under a second. */
interface SecondName {
  of: string;
  as?: (value: Json) => Json;
}

/** By job type: the names of the earlier job server for what its results have under another name too. */
const secondNames: Readonly<Record<string, Readonly<Record<string, SecondName>>>> = {
  ml_experiment: {
    model_type: { of: 'model' },
    training_history: { of: 'history', as: toTrainingHistory },
  },
  backtest: {
    final_value: { of: 'final_equity' },
    annualized_return: { of: 'cagr' },
    sharpe_ratio: { of: 'sharpe' },
    num_trades: { of: 'trades' },
    portfolio_values: { of: 'equity_curve', as: toPortfolioValues },
  },
};

/** The whole of a stored result. What it has under two names is stored once; rows of earlier releases have both. */
export function readResult(type: string, stored: string | null): Json {
  if (stored === null) return null;
  const result = readJson<Json>(stored);
  const names = secondNames[type];
  if (!names || !isObject(result)) return result;
  const missing = Object.entries(names).flatMap(([name, { of, as = itself }]): [string, Json][] => {
    const value = result[of];
    return value === undefined || name in result ? [] : [[name, as(value)]];
  });
  return { ...result, ...Object.fromEntries(missing) };
}

/** A whole result as it is stored: everything once, under its first name. */
export function withoutSecondNames(type: string, result: Json): Json {
  const names = secondNames[type];
  if (!names || !isObject(result)) return result;
  const isSecond = (name: string) => {
    const first = names[name];
    return first !== undefined && first.of in result;
  };
  return Object.fromEntries(Object.entries(result).filter(([name]) => !isSecond(name)));
}

const itself = (value: Json): Json => value;

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `[{epoch, loss, accuracy}]` of `[{epoch, train_loss, train_accuracy, ...}]`; a regression has no accuracy. */
function toTrainingHistory(history: Json): Json {
  if (!Array.isArray(history)) return history;
  return history.map((entry) => {
    const { epoch = null, train_loss: loss = null, train_accuracy: accuracy } = isObject(entry) ? entry : {};
    return { epoch, loss, ...(accuracy === undefined ? {} : { accuracy }) };
  });
}

/** `[{date, value}]` of `[[date, value]]`. */
function toPortfolioValues(curve: Json): Json {
  if (!Array.isArray(curve)) return curve;
  return curve.map((point) => {
    const [date = null, value = null] = Array.isArray(point) ? point : [];
    return { date, value };
  });
}
