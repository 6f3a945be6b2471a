import type { Config } from '../base/config.js';
import type { Downstream } from '../downstream/downstream.js';
import type { SickServer } from '../downstream/views.js';
import type { Models } from '../llm/index.js';
import type { Database } from '../store/sql.js';

/** What this process is set up with. */
export interface SelfDescription {
  /** The file, or the address without its secrets. */
  databasePath: string;
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
  db: Pick<Database, 'location' | 'sizeBytes' | 'lossAtOpening'>;
  config: Pick<Config, 'workerSlots' | 'retentionDays'>;
  models: Models;
  downstream: Downstream;
}

/** What this process is set up with, read at the moment of the call. */
export async function describeSelf({ config, db, models, downstream }: DescribeNeeds): Promise<SelfDescription> {
  const defaultModel = models.defaultModel();
  return {
    databasePath: db.location,
    databaseBytes: await db.sizeBytes(),
    databaseLoss: db.lossAtOpening(),
    workerSlots: config.workerSlots,
    retentionDays: config.retentionDays,
    defaultModel,
    configuredProviders: models.available().flatMap(({ id, isConfigured }) => (isConfigured ? [id] : [])),
    planner: defaultModel ?? 'caller',
    sickServers: downstream.sick(),
  };
}
