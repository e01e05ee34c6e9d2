import { commandFailed, toolOf } from '../administration.js';
import type { Reaper } from '../reaper.js';
import type { Report } from '../report.js';
import { runCommand } from '../run-command.js';
import { toolJars } from './kafka-jars.js';
import { javaArguments, type KafkaJava } from './kafka-java.js';

/** What a tool is run with. */
export interface KafkaToolbox {
  readonly kafka: KafkaJava;
  readonly folder: string;
  readonly reaper: Reaper;
  readonly report: Report;
  /** `host:port` of listeners where the tool may do everything. */
  readonly servers: readonly string[];
  /** Arguments to log in with. */
  readonly login: readonly string[];
}

const TOOLS: Readonly<Record<string, string>> = {
  'kafka-acls': 'org.apache.kafka.tools.AclCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
};

/** What can be run. */
export const KAFKA_TOOLS: readonly string[] = Object.keys(TOOLS);

/** The arguments that tell a tool where the broker is. */
export function serverArguments(servers: readonly string[]): string[] {
  return ['--bootstrap-server', servers.join(',')];
}

/** Runs the Java class behind one of Kafka's scripts. Its jars are fetched the first time. */
export async function runKafkaTool(toolbox: KafkaToolbox, command: readonly string[]): Promise<string> {
  const [tool, args] = toolOf(command, KAFKA_TOOLS);
  const { folder, reaper, report, servers, login } = toolbox;
  const kafka = {
    ...toolbox.kafka,
    jars: [...toolbox.kafka.jars, ...(await toolJars(toolbox.kafka, report))],
  };
  const java = javaArguments(kafka, classOf(tool, kafka), [...serverArguments(servers), ...login, ...args], {
    heapMb: 256,
    jvmArgs: [],
    temporaryFolder: folder,
  });
  const { code, output } = await runCommand(kafka.java.command, java, { cwd: folder, reaper });
  return resultOf(tool, code, output);
}

/** The output, or the error that it tells of: some tools do so and end with code 0 all the same. */
export function resultOf(tool: string, code: number | undefined, output: string): string {
  if (code === 0 && !/^Error: /m.test(output)) return output;
  throw commandFailed(tool, output);
}

function classOf(tool: string, { version }: KafkaJava): string {
  // It moved with Kafka 4.
  if (tool === 'kafka-acls' && Number(version.split('.')[0]) < 4) return 'kafka.admin.AclCommand';
  return TOOLS[tool] ?? '';
}
