-- Model follows kstatus: status.observedGeneration, and the conditions Ready, Reconciling and
-- Stalled. Settled is false while something is still to happen; where no machine is at work on it,
-- people are awaited.
local function condition(kind)
  for _, found in ipairs(obj.status.conditions) do
    if found.type == kind then
      return found
    end
  end
  return {}
end

local function health(status, message)
  return { status = status, message = message or "" }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "The Model is being deleted.")
end
if obj.status == nil or obj.status.conditions == nil
    or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not looked at it yet.")
end

local stalled, reconciling = condition("Stalled"), condition("Reconciling")
local settled, ready = condition("Settled"), condition("Ready")
if stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end
if settled.status == "False" then
  return health("Suspended", settled.message)
end
if ready.status ~= "True" then
  return health("Progressing", ready.message)
end
return health("Healthy", settled.message)
