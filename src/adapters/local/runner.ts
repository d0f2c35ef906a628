import { readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClusterFile } from './cluster-files.js';
import { clusterFile, lockOf, markerPrefix, statusReasonFile, trashName } from './cluster-folder.js';
import { createInbox } from './inbox.js';
import { withLock } from './lock.js';
import { endProcesses } from './process-group.js';
import type { ProcessRun } from './process-run.js';
import { createQueue } from './queue.js';
import { createRecord } from './record.js';
import { runSetup, runTask, type Station } from './stations.js';

/**
 * One cluster: a process of its own, with a queue on disk and one slot, that lives on when the server that launched it dies.
 * Sixteen of them share a machine with the training, so it loads Node's own modules only and sleeps between events.
 */
