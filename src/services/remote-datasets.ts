/** A file of a data set on the web. Its checksum is what makes it the right one, wherever it comes from. */
export interface RemoteFile {
  name: string;
  bytes: number;
  sha256: string;
  /** Tried in turn. */
  urls: string[];
}

export interface RemoteDataset {
  title: string;
  /** Where training jobs look for it, below the data directory. */
  directory: string;
  files: RemoteFile[];
  /** The files that the only one, a `.tar.gz`, holds below `directory`; the others in it are left out. */
  unpacks?: string[];
}

export const remoteNames = ['mnist', 'cifar10'] as const;
export type RemoteName = (typeof remoteNames)[number];

const mnistFile = (name: string, bytes: number, sha256: string): RemoteFile => ({
  name,
  bytes,
  sha256,
  urls: [
    `https://ossci-datasets.s3.amazonaws.com/mnist/${name}`,
    `https://storage.googleapis.com/cvdf-datasets/mnist/${name}`,
  ],
});

/** Sizes and checksums of LeCun's MNIST files, and of Krizhevsky's binary version of CIFAR-10 as he publishes it. */
export const remoteDatasets: Readonly<Record<RemoteName, RemoteDataset>> = {
  mnist: {
    title: 'MNIST',
    directory: 'mnist',
    files: [
      mnistFile(
        'train-images-idx3-ubyte.gz',
        9_912_422,
        '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
      ),
      mnistFile(
        'train-labels-idx1-ubyte.gz',
        28_881,
        '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
      ),
      mnistFile(
        't10k-images-idx3-ubyte.gz',
        1_648_877,
        '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
      ),
      mnistFile('t10k-labels-idx1-ubyte.gz', 4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'),
    ],
  },
  cifar10: {
    title: 'CIFAR-10',
    directory: 'cifar-10-batches-bin',
    files: [
      {
        name: 'cifar-10-binary.tar.gz',
        bytes: 170_052_171,
        sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
        urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
      },
    ],
    unpacks: [...[1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`), 'test_batch.bin'],
  },
};
