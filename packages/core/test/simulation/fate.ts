/** What is true of one event in one group, whoever owns its partition. */
export class Fate {
  /** All its handlers succeeded, or its dead letter is stored. */
  isCompleted = false;
  /** Failed attempts that are noted: no crash may give them back. Starts anew once the event is settled. */
  noted = 0;
  /** All that were ever started. */
  attempts = 0;
  /** Attempts of which the broker does not know that they ended: the ownership, or the process, ended before. */
  interrupted = 0;
  /** How often its handler killed the process. */
  kills = 0;
  letters = 0;
}
