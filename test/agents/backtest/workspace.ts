import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBacktest } from '../../../src/agents/backtest/index.js';
import type { PriceDownload } from '../../../src/agents/backtest/price-download.js';
import type { AgentContext } from '../../../src/agents/define-agent.js';
import type { JsonObject } from '../../../src/base/json.js';
import { type Bar, toCsv } from './random-walk.js';

/** The type of a result in tests, which compare it key by key. */
export interface BacktestResult extends JsonObject {
  equity_curve: [string, number][];
  benchmark_curve: [string, number][];
  trade_list: { entry_date: string; exit_date: string; direction: string; pnl: number; return: number }[];
  benchmark: JsonObject;
  data: JsonObject;
  warnings: string[];
}

export interface Workspace {
  dataDir: string;
  controller: AbortController;
  /** Every progress report so far, as [fraction, message]. */
  progress: [number, string | undefined][];
  /** Called on every progress report. */
  onProgress: (fraction: number) => void;
  /** The messages of `context.warn`. */
  warnings: string[];
  writePrices(ticker: string, bars: readonly Bar[] | string): Promise<string>;
  /** Runs a payload through the agent's own schema and its execute. */
  run(payload: unknown, download?: PriceDownload): Promise<BacktestResult>;
  remove(): Promise<void>;
}

/** A data directory and a context that runs the agent on it as the runner does. */
export async function createWorkspace(): Promise<Workspace> {
  const dataDir = await mkdtemp(join(tmpdir(), 'backtest-'));
  const workspace: Workspace = {
    dataDir,
    controller: new AbortController(),
    progress: [],
    onProgress: () => {},
    warnings: [],
    async writePrices(ticker, bars) {
      await mkdir(join(dataDir, 'prices'), { recursive: true });
      const path = join(dataDir, 'prices', `${ticker}.csv`);
      await writeFile(path, typeof bars === 'string' ? bars : toCsv(bars));
      return path;
    },
    async run(payload, download) {
      const agent = createBacktest({ download, now: () => Date.parse('2024-05-06T07:08:09Z') });
      const job = {
        id: '0123456789abcdef',
        type: 'backtest',
        payload: agent.payload.parse(payload),
        metadata: {},
        attempt: 1,
        isLastTry: true,
      };
      const result = await agent.execute(job, contextOf(workspace));
      return JSON.parse(JSON.stringify(result)) as BacktestResult;
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
  return workspace;
}

function contextOf(workspace: Workspace): AgentContext {
  return {
    signal: workspace.controller.signal,
    dataDir: workspace.dataDir,
    progress(fraction, message) {
      workspace.progress.push([fraction, message]);
      workspace.onProgress(fraction);
    },
    warn: (message) => workspace.warnings.push(message),
    log: () => {},
    output: () => {},
    restartOutput: () => {},
    usage: () => {},
    usageSoFar: () => {},
    partial: () => {},
    artifacts: async () => [],
    dependencies: async () => [],
    async saveArtifact(name, data) {
      const path = join(workspace.dataDir, name);
      await writeFile(path, data);
      const bytes = Buffer.from(data);
      return { name, path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    },
  };
}
