import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launch, LaunchRequest } from '../../ports/cluster-backend.js';
import type { ClusterLook } from './clusters.js';
import type { Memory } from './memory.js';
import { type SkyApi, SkyError } from './sky-api.js';
import { launchYaml } from './task-yaml.js';
import { zipWorkdir } from './workdir-zip.js';

export function launchOne(api: SkyApi, memory: Memory, look: ClusterLook, request: LaunchRequest): Promise<Launch> {
  const { cluster, environment, idleMinutes } = request;
  return memory.exclusively(cluster, async () => {
    const { launches } = await memory.read(cluster);
    if (launches.length > 0 && (await look.clusters([cluster])).length === 0) {
      // It ended by itself since: what is known of it is of no use to its successor.
      await memory.forget(cluster);
    } else if (launches.some(({ key }) => key === environment.key)) return { cluster, status: 'accepted' };
    try {
      await sendWhole(environment.workdir);
      const zip = (await api.isLocal()) ? null : await zipWorkdir(environment.workdir);
      if (zip !== null) await api.upload(zip);
      const requestId = await api.start('/launch', {
        task: launchYaml(request, zip),
        ...(zip === null ? {} : { file_mounts_blob_id: zip.blobId }),
        cluster_name: cluster,
        idle_minutes_to_autostop: Math.ceil(idleMinutes),
        down: true,
      });
      await memory.change(
        cluster,
        (file) => void file.launches.push({ key: environment.key, requestId, accelerators: [...request.accelerators] }),
      );
      return { cluster, status: 'accepted' };
    } catch (error) {
      if (error instanceof SkyError) return { cluster, status: 'rejected', reason: error.message };
      throw error;
    }
  });
}

/** Where a folder has no .skyignore, SkyPilot leaves out what its .gitignore names, though git may track it. */
const sendWhole = (workdir: string): Promise<void> => writeFile(join(workdir, '.skyignore'), '', { flag: 'a' });
