from tfsepgan import systems as systems
from tfsepgan.errors import TfsepganError as TfsepganError
from tfsepgan.separation.bulk import separate_files as separate_files
from tfsepgan.separation.files import separate_file as separate_file
from tfsepgan.separation.separator import Separator as Separator
from tfsepgan.separation.separator import load as load

__version__: str
