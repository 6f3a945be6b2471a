import { hookModules } from './agents/modules/hook-modules.js';
import { serveModule } from './agents/modules/serve-module.js';

/** Entry of the child process that describes a module of the user's own and checks payloads by its schemas. */
serveModule(process.argv[2] ?? '', hookModules());
