import { describe, expect, it } from 'vitest';
import { acceleratorName } from '../../../src/adapters/local/accelerator-names.js';
import { cpuSlots, gpuSlots, parseGpus, visibleGpus } from '../../../src/adapters/local/machine.js';

const NVIDIA_SMI = `0, GPU-5b61e3a4-0001, NVIDIA H100 80GB HBM3, 81559 MiB
1, GPU-5b61e3a4-0002, NVIDIA H100 80GB HBM3, 81559 MiB
2, GPU-77aa0c11-0003, NVIDIA GeForce RTX 4090, 24564 MiB
`;

describe('accelerators', () => {
  it.each([
    ['NVIDIA H100 80GB HBM3', 81559, 'H100'],
    ['NVIDIA H100 PCIe', 81559, 'H100'],
    ['NVIDIA H200', 143771, 'H200'],
    ['NVIDIA GH200 480GB', 97871, 'GH200'],
    ['NVIDIA GB200', 189471, 'GB200'],
    ['NVIDIA B200', 183359, 'B200'],
    ['NVIDIA A100-SXM4-40GB', 40960, 'A100'],
    ['NVIDIA A100-SXM4-80GB', 81920, 'A100-80GB'],
    ['Tesla V100-SXM2-16GB', 16384, 'V100'],
    ['Tesla V100-SXM2-32GB', 32768, 'V100-32GB'],
    ['Tesla T4', 15360, 'T4'],
    ['NVIDIA A10G', 23028, 'A10G'],
    ['NVIDIA L4', 23034, 'L4'],
    ['NVIDIA L40S', 46068, 'L40S'],
    ['NVIDIA RTX A6000', 49140, 'RTXA6000'],
    ['NVIDIA RTX 6000 Ada Generation', 49140, 'RTX6000-Ada'],
    ['NVIDIA GeForce RTX 4090', 24564, 'RTX4090'],
    ['NVIDIA GeForce RTX 3080 Ti', 12288, 'RTX3080Ti'],
    ['NVIDIA Some New Thing', 1000, 'Some-New-Thing'],
  ])('names %s (%i MiB) %s', (device, memoryMib, name) => {
    expect(acceleratorName(device, memoryMib)).toBe(name);
  });
});

describe('slots', () => {
  it('are a GPU each, kept to by CUDA_VISIBLE_DEVICES in the order of nvidia-smi', () => {
    const slots = gpuSlots(parseGpus(NVIDIA_SMI), 3);
    expect(slots.map(({ accelerators }) => accelerators)).toEqual(['H100:1', 'H100:1', 'RTX4090:1']);
    expect(slots[1]?.envs).toEqual({ CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: '1' });
    expect(slots[2]?.hardware).toMatch(/ NVIDIA GeForce RTX 4090$/);
  });

  it('share the GPUs where more were asked for than there are', () => {
    const devices = gpuSlots(parseGpus(NVIDIA_SMI), 5).map(({ envs }) => envs['CUDA_VISIBLE_DEVICES']);
    expect(devices).toEqual(['0', '1', '2', '0', '1']);
  });

  it('leave alone the GPUs that a scheduler gave to others', () => {
    const gpus = parseGpus(NVIDIA_SMI);
    expect(visibleGpus(gpus, '2,0').map(({ index }) => index)).toEqual([0, 2]);
    expect(visibleGpus(gpus, 'GPU-77aa').map(({ index }) => index)).toEqual([2]);
    expect(visibleGpus(gpus, '')).toEqual([]);
    expect(visibleGpus(gpus, undefined)).toHaveLength(3);
  });

  it('are threads on a machine without GPUs, said to every library that makes threads', () => {
    const slots = cpuSlots(2, 3);
    expect(slots.map(({ index, accelerators, gpus }) => [index, accelerators, gpus])).toEqual([
      [0, 'CPU:3', 0],
      [1, 'CPU:3', 0],
    ]);
    expect(slots[0]?.envs).toMatchObject({ OMP_NUM_THREADS: '3', MKL_NUM_THREADS: '3', OPENBLAS_NUM_THREADS: '3' });
  });

  it('are none where nvidia-smi prints a complaint', () => {
    expect(parseGpus('NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.\n')).toEqual([]);
  });
});
