-- ModelTransition follows kstatus: status.observedGeneration, and the conditions Ready,
-- Reconciling and Stalled. Succeeded is Unknown while it is open: at a machine if Reconciling,
-- otherwise at people or at a time.
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

if obj.status == nil or obj.status.conditions == nil
    or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not looked at it yet.")
end

local stalled, reconciling = condition("Stalled"), condition("Reconciling")
local succeeded = condition("Succeeded")
if stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end
if succeeded.status == "Unknown" then
  return health("Suspended", succeeded.message)
end
return health("Healthy", succeeded.message)
