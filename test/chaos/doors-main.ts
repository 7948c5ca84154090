/** The process with the fault doors: all bytes between proxy and pods go through it, so it waits for nobody else. */
import type { FromDoors, ToDoors } from './doors-messages.ts';
import { FaultDoor } from './fault-door.ts';

const doors = new Map<number, FaultDoor>();

async function obey(message: ToDoors): Promise<FromDoors> {
  const door = doors.get(message.door) ?? (await FaultDoor.open(message.type === 'open' ? message.target : ''));
  doors.set(message.door, door);
  const { address } = door;
  if (message.type === 'target') door.target = message.target;
  else if (message.type === 'fault') door.fault = message.fault;
  else if (message.type === 'reset') door.reset();
  else if (message.type === 'close') {
    doors.delete(message.door);
    await door.close();
  }
  return { door: message.door, address };
}

process.on('message', (message: ToDoors) => {
  void obey(message).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
