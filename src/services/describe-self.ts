import { statSync } from 'node:fs';
import type { Config } from '../base/config.js';
import type { Downstream } from '../downstream/downstream.js';
import type { SickServer } from '../downstream/views.js';
import type { Models } from '../llm/index.js';
import type { Database } from '../store/sql.js';

/** What this process is set up with. */
export interface SelfDescription {
  databasePath: string;
  /** With its write-ahead log, where the newest changes are. */
  databaseBytes: number;
  /** What was lost before this process opened it. */
  databaseLoss: string | undefined;
  workerSlots: number;
  /** What ended so many days ago is deleted, once a day. */
  retentionDays: number | undefined;
  defaultModel: string | undefined;
  configuredProviders: string[];
  /** The planner of decompose_goal when the call names none. */
  planner: string;
  /** Tool servers that were tried in this session and are not up. */
  sickServers: SickServer[];
}

export interface DescribeNeeds {
  db: Pick<Database, 'lossAtOpening'>;
  config: Config;
  models: Models;
  downstream: Downstream;
}

/** What this process is set up with, read at the moment of the call. */
export function describeSelf({ config, db, models, downstream }: DescribeNeeds): SelfDescription {
  const defaultModel = models.defaultModel();
  return {
    databasePath: config.dbPath,
    databaseBytes: sizeOf(config.dbPath) + sizeOf(`${config.dbPath}-wal`),
    databaseLoss: db.lossAtOpening(),
    workerSlots: config.workerSlots,
    retentionDays: config.retentionDays,
    defaultModel,
    configuredProviders: models.available().flatMap(({ id, isConfigured }) => (isConfigured ? [id] : [])),
    planner: defaultModel ?? 'caller',
    sickServers: downstream.sick(),
  };
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
