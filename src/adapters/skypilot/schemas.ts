import { z } from 'zod';

/** SkyPilot's answers as observed on 0.14.1: only the fields that we use, lenient about the rest. */
export const Health = z.looseObject({ api_version: z.coerce.number(), version: z.string().nullish() });

/** What GET /api/get answers: with 200, or under `detail` with 500. `return_value` and `error` are JSON in a string. */
export const RequestRecord = z.looseObject({
  status: z.string(),
  return_value: z.string().nullish(),
  error: z.string().nullish(),
});
export const FailedRequest = z.looseObject({ detail: RequestRecord });
export const RequestError = z.looseObject({ type: z.string(), message: z.string().nullish() });

/** One entry of GET /api/status?request_ids=…, which does not block. */
export const RequestStatuses = z.array(z.looseObject({ request_id: z.string(), status: z.string() }));

export const ClusterRecord = z.looseObject({
  name: z.string(),
  status: z.string(),
  /** `Launching (pending: Resources; partition: gpu)` while it waits for a machine. */
  init_status_reason: z.string().nullish(),
  last_event: z.string().nullish(),
  autostop: z.number().nullish(),
  cloud: z.string().nullish(),
  region: z.string().nullish(),
  node_names: z.string().nullish(),
  /** A Python dict as text: `{'H100': 1}`. */
  accelerators: z.string().nullish(),
  nodes: z.number().nullish(),
  /** `1x[spot](gpus=H100:8, p5.48xlarge, cpus=192, mem=2048, disk=256)` */
  resources_str_full: z.string().nullish(),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** Times in seconds since 1970. */
export const JobRecord = z.looseObject({
  job_id: z.number(),
  job_name: z.string(),
  status: z.string(),
  submitted_at: z.number(),
  start_at: z.number().nullish(),
  end_at: z.number().nullish(),
});
export type JobRecord = z.infer<typeof JobRecord>;

export const Submitted = z.looseObject({ job_id: z.number() });

export const BlobExists = z.looseObject({ exists: z.boolean() });

/** Per Slurm cluster: its name, and for each GPU the counts one may ask for, how many there are, how many are free. */
export const SlurmAvailability = z.array(
  z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.number()), z.number(), z.number()]))]).rest(z.unknown()),
);

/** The catalogue: [cloud, instance, accelerator, count, vCPUs, device memory, memory, $/h, spot $/h, region, …] by accelerator. */
export const Catalogue = z.record(
  z.string(),
  z.array(
    z
      .tuple([
        z.string(),
        z.string().nullable(),
        z.string(),
        z.number(),
        z.unknown(),
        z.unknown(),
        z.unknown(),
        z.number().nullable(),
        z.number().nullable(),
        z.string().nullable(),
      ])
      .rest(z.unknown()),
  ),
);
