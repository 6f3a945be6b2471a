import type { z } from 'zod';
import type { Clock } from '../../base/clock.js';
import type { JsonObject } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import type { NativeSettings } from '../../base/native-settings.js';
import type { Database } from '../../store/sql.js';

export interface NativeContext {
  signal: AbortSignal;
  db: Database;
  clock: Clock;
  log: Log;
  settings: NativeSettings;
}

export interface NativeTool<Input extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  description: string;
  input: Input;
  isReadOnly: true;
  cacheSeconds: number;
  execute(input: z.output<Input>, context: NativeContext): Promise<JsonObject>;
}
